"""Cloudflare's services, one folder each: `routes` know HTTP, `store` knows the rules."""
