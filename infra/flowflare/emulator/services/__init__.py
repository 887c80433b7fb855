"""Implement Cloudflare's services, one per folder: `routes` handles HTTP, `store` the rules."""
