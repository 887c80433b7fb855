"""Implement Workflows: a name runs a class of a script."""
