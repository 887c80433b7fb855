"""The time and the random ids that answers carry, in Cloudflare's formats."""

import uuid
from datetime import UTC, datetime


def now() -> str:
    """The time now, as in `2026-11-23T19:03:50.516659Z`."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def hyphened_id() -> str:
    """A fresh UUID."""
    return str(uuid.uuid4())


def plain_id() -> str:
    """A fresh UUID without hyphens: 32 hexadecimal digits."""
    return uuid.uuid4().hex
