"""Provision, upgrade and retire many tenants: a fleet of stacks."""
