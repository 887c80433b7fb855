"""Implement versions and deployments of scripts: one version at a time answers."""
