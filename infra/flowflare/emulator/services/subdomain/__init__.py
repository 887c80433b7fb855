"""Implement workers.dev: the account's subdomain, and which scripts answer on it."""
