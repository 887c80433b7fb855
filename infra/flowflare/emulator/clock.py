"""Produce the timestamps and random IDs of answers in Cloudflare's formats."""

import uuid
from datetime import UTC, datetime


def now() -> str:
    """Return the current time, such as `2026-11-23T19:03:50.516659Z`."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def hyphened_id() -> str:
    """Return a new UUID."""
    return str(uuid.uuid4())


def plain_id() -> str:
    """Return a new UUID without hyphens: 32 hexadecimal digits."""
    return uuid.uuid4().hex
