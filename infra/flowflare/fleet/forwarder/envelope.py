"""Make the forwarder's own responses in Cloudflare's envelope, without queries or secrets."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

# A segment of a path that is the ID of an account, database, zone or run.
_ID: Final = re.compile(r"[0-9a-fA-F]{16,}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d+")
#: Cloudflare's code for too many calls.
TOO_MANY: Final = 971


@dataclass(frozen=True)
class ForwarderResponse:
    """A complete response."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def make_refusal(
    status: int, code: int, message: str, *, retry_after: int | None = None
) -> ForwarderResponse:
    """Make an error response.

    Args:
        code: Cloudflare's code for this error, or the status.
        retry_after: seconds to wait before a retry.
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
    return ForwarderResponse(status, headers, body)


def hide_ids(path: str) -> str:
    """Replace the IDs in a path: `/accounts/{id}/d1/database`."""
    words = path.partition("?")[0].split("/")
    return "/".join("{id}" if _ID.fullmatch(word) else word for word in words)
