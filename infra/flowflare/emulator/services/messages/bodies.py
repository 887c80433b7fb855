"""Check the bodies of message requests, and render pulled messages.

Limits are from developers.cloudflare.com/queues/platform/limits and /queues/configuration/
pull-consumers. The code of their refusals is our reading.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from flowflare.emulator import codes

MAX_DELAY = 86_400
MAX_BATCH = 100
MAX_VISIBILITY = 43_200_000
_MAX_BYTES = 128_000


def read_message(asked: Any, delay: int | None = None) -> dict[str, Any]:
    """Read a message that a client pushes. Refusal: 10001, it is invalid.

    Args:
        delay: the delay of the batch, in seconds.
    """
    if not isinstance(asked, dict) or "body" not in asked:
        raise codes.invalid_body("A message must be an object with `body`.")
    body, kind = asked["body"], asked.get("content_type") or "json"
    if kind not in ("text", "json") or (kind == "text" and not isinstance(body, str)):
        raise codes.invalid_body("`content_type` must be `text`, with a string as body, or `json`.")
    content = (body if kind == "text" else json.dumps(body, separators=(",", ":"))).encode()
    if len(content) > _MAX_BYTES:
        raise codes.invalid_body(f"A message must not have more than {_MAX_BYTES} bytes.")
    own = read_number(asked, "delay_seconds", 0, MAX_DELAY)
    encoded = base64.b64encode(content).decode()
    return {"type": kind, "base64": encoded, "delay": delay if own is None else own}


def read_number(asked: Mapping[str, Any], key: str, least: int, most: int) -> int | None:
    """Return a whole number of a body, or None if it is missing. Refusal: 10001."""
    value = asked.get(key)
    if value is None:
        return None
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        raise codes.invalid_body(f"`{key}` must be a whole number from {least} to {most}.")
    return number


def read_list(asked: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a list of objects of a body, at most `MAX_BATCH`. Refusal: 10001."""
    value = asked.get(key) or []
    if (
        not isinstance(value, list)
        or len(value) > MAX_BATCH
        or not all(isinstance(each, dict) for each in value)
    ):
        raise codes.invalid_body(f"`{key}` must be a list of at most {MAX_BATCH} objects.")
    return value


def view_metrics(metrics: Mapping[str, int]) -> dict[str, int]:
    """Render the size of a queue's backlog."""
    return {
        "backlog_bytes": metrics["backlogBytes"],
        "backlog_count": metrics["backlogCount"],
        "oldest_message_timestamp_ms": metrics["oldestMessageTimestamp"],
    }


def view_pulled(message: Mapping[str, Any]) -> dict[str, Any]:
    """Render a pulled message: a text as it is, any other body in base64."""
    body = message["base64"]
    if message["type"] == "text":
        body = base64.b64decode(body).decode(errors="replace")
    return {
        "id": message["id"],
        "attempts": message["attempts"],
        "body": body,
        "lease_id": message["lease"],
        "metadata": {"CF-Content-Type": message["type"]},
        "timestamp_ms": message["sent"],
    }
