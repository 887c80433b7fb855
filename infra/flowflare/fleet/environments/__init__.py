"""Ephemeral environments: stacks for pull requests that are removed when their time is over."""
