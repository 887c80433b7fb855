"""Ephemeral environments: stacks for pull requests that are removed when they expire."""
