"""Serve the caller's identity: user, accounts, memberships and token."""
