"""Serve uploads of static assets."""
