"""Many tenants: provision, upgrade and retire a fleet of stacks."""
