"""The forwarder's own answers, in Cloudflare's envelope; they name no query and no secret."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

# What is one thing's among the words of a path: account, database, zone, run.
_ID: Final = re.compile(r"[0-9a-fA-F]{16,}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d+")
#: Cloudflare's code for too many calls.
TOO_MANY: Final = 971


@dataclass(frozen=True)
class Answer:
    """An answer with its head, ready to be sent.

    Attributes:
        status: HTTP status.
        headers: names and values.
        body: the envelope.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def refusal(status: int, code: int, message: str, *, retry_after: int | None = None) -> Answer:
    """An envelope that says no.

    Args:
        status: HTTP status.
        code: Cloudflare's code where it has one for this, else the status.
        message: why.
        retry_after: seconds to wait before another attempt.
    """
    envelope: dict[str, Any] = {
        "success": False,
        "errors": [{"code": code, "message": message}],
        "messages": [],
        "result": None,
    }
    body = json.dumps(envelope).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    return Answer(status, headers, body)


def template(path: str) -> str:
    """A path with its ids left out: `/accounts/{id}/d1/database`."""
    words = path.partition("?")[0].split("/")
    return "/".join("{id}" if _ID.fullmatch(word) else word for word in words)
