"""Cloudflare's management API v4 over the official SDK: one way to call it, one way to fail."""

from flowflare.api.client import Client, Part, connect

__all__ = ["Client", "Part", "connect"]
