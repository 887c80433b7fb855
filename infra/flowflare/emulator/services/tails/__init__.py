"""Serve tails of Workers."""
