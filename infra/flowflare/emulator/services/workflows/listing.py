"""Select the instances that a list asks for: filters by status and date, pages and cursors."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import number

_PER_PAGE, _MAX_PER_PAGE = 50, 100
_STATUSES = (
    "queued",
    "running",
    "paused",
    "errored",
    "terminated",
    "complete",
    "waitingForPause",
    "waiting",
    "rollingBack",
)

Instance = Mapping[str, Any]


def answer_list(request: Request, instances: Sequence[Instance]) -> Response:
    """Answer with the instances that the query asks for.

    Args:
        instances: all of them, the newest first.

    Raises:
        Refusal: 10002, a parameter is invalid (our reading).
    """
    query = request.query_params
    size = min(number(request, "per_page", _PER_PAGE), _MAX_PER_PAGE)
    found = [instance for instance in instances if _matches(instance, query)]
    direction = query.get("direction", "desc")
    if direction not in ("asc", "desc"):
        raise codes.invalid_workflow(f"direction: Invalid enum value: '{direction}'")
    if direction == "asc":
        found.reverse()
    cursor = query.get("cursor")
    if cursor and "page" in query:
        raise codes.invalid_workflow("cursor: is mutually exclusive with page")
    begin = (number(request, "page", 1) - 1) * size
    if cursor:
        last = _read_cursor(cursor)
        begin = next((at + 1 for at, each in enumerate(found) if each["id"] == last), len(found))
    part = found[begin : begin + size]
    info: dict[str, Any] = {
        "per_page": size,
        "count": len(part),
        "total_count": len(found),
        "cursor": _write_cursor(part[-1]["id"]) if begin + size < len(found) else "",
    }
    if not cursor:
        info["page"] = number(request, "page", 1)
    return success(part, info=info)


def _matches(instance: Instance, query: Mapping[str, str]) -> bool:
    status = query.get("status")
    if status is not None and status not in _STATUSES:
        raise codes.invalid_workflow(f"status: Invalid enum value: '{status}'")
    if status not in (None, instance["status"]):
        return False
    created = _read_time(str(instance["created_on"]), "created_on")
    start, end = (
        _read_time(query[key], key) if key in query else None for key in ("date_start", "date_end")
    )
    return (start is None or start <= created) and (end is None or created <= end)


def _read_time(text: str, name: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise codes.invalid_workflow(f"{name}: Invalid datetime: '{text}'") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _write_cursor(identity: str) -> str:
    return base64.urlsafe_b64encode(identity.encode()).decode()


def _read_cursor(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError):
        raise codes.invalid_workflow("cursor: is invalid") from None
