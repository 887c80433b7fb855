"""Implement secrets of scripts: set, list without values and delete them, singly or in bulk."""
