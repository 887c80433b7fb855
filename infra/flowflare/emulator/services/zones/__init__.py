"""Zones: domain names, of which routes and custom domains are parts."""
