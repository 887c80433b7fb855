"""Flowflare: infrastructure as code for the tracking of Cloudflare Workflows."""
