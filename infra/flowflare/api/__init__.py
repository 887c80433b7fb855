"""Cloudflare's management API v4 over the official SDK: the only way that this package calls it."""

from flowflare.api.client import Client, Part
from flowflare.api.connector import PROCESS, Connector, connect, describe_wait
from flowflare.api.retries import Pace, Retries

__all__ = [
    "PROCESS",
    "Client",
    "Connector",
    "Pace",
    "Part",
    "Retries",
    "connect",
    "describe_wait",
]
