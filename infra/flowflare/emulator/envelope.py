"""Cloudflare's envelope: how every answer of the API is wrapped, refusals included.

Clients differ in what they look at (wrangler at `success`, the SDKs at the HTTP status), so both
are always set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse


@dataclass(frozen=True)
class Problem:
    """One entry of an envelope's `errors`."""

    code: int
    message: str


class Refusal(Exception):  # noqa: N818 -- it is an answer of the API, not a failure of ours
    """The API says no.

    Args:
        status: the HTTP status.
        problems: the entries of `errors`.
        headers: what else the answer carries, such as `Retry-After`.
    """

    def __init__(
        self, status: int, problems: Sequence[Problem], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("; ".join(f"{each.message} [code: {each.code}]" for each in problems))
        self.status = status
        self.problems = tuple(problems)
        self.headers = dict(headers or {})


def refusal(status: int, code: int, message: str) -> Refusal:
    """A refusal with one problem."""
    return Refusal(status, [Problem(code, message)])


def success(
    result: Any, *, info: Mapping[str, object] | None = None, messages: Sequence[str] = ()
) -> JSONResponse:
    """An answer that carries a result.

    Args:
        result: any JSON value.
        info: `result_info`, the paging of a list.
        messages: what Cloudflare wants to say besides.
    """
    body: dict[str, Any] = {
        "success": True,
        "errors": [],
        "messages": list(messages),
        "result": result,
    }
    if info is not None:
        body["result_info"] = dict(info)
    return JSONResponse(body)


def failure(refused: Refusal) -> JSONResponse:
    """The answer for a refusal."""
    errors = [{"code": each.code, "message": each.message} for each in refused.problems]
    body = {"success": False, "errors": errors, "messages": [], "result": None}
    return JSONResponse(body, status_code=refused.status, headers=refused.headers)


def page_of(items: Sequence[Any], *, page: int, per_page: int) -> tuple[list[Any], dict[str, int]]:
    """Cuts one page out of a list.

    Returns:
        the page's items, and the `result_info` that goes with them.
    """
    start = (page - 1) * per_page
    part = list(items[start : start + per_page])
    info = {"page": page, "per_page": per_page, "count": len(part), "total_count": len(items)}
    return part, info
