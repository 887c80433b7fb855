"""Secrets of scripts: set, listed without values, removed, one by one or many at once."""
