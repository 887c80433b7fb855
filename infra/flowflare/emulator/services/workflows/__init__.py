"""Workflows: which class of which script a name runs."""
