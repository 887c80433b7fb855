"""Cloudflare's management API v4 over the official SDK: one way to call it, one way to fail."""

from flowflare.api.client import Client, Part
from flowflare.api.connector import PROCESS, Connector, connect, waiting
from flowflare.api.retries import Pace, Retries

__all__ = ["PROCESS", "Client", "Connector", "Pace", "Part", "Retries", "connect", "waiting"]
