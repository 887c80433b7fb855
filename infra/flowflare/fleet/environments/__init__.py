"""Ephemeral environments: a stack for a pull request, with an end that comes by itself."""
