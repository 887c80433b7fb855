"""Implement secrets stores: secrets of an account that several Workers are bound to."""
