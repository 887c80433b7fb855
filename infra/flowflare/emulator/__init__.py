"""The embedded Cloudflare: the management API v4 on loopback, over workerd."""
