"""Implement zones: the domain names of routes and custom domains."""
