"""Read a request's parameters and body, and refuse invalid ones in Cloudflare's words."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.json_text import NotJsonError, parse_json

API = "/client/v4"
CONTROL = "/emulator"
_ID = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"[0-9]{1,9}")

Handler = Callable[[Request], Awaitable[Response]]


def operation(method: str, path: str, handler: Handler) -> BaseRoute:
    """Return the route of one API operation at a path below `/client/v4`."""
    route = Route(API + path, handler, methods=[method])
    if method == "GET":
        # Starlette adds HEAD to GET; Cloudflare's API has no HEAD.
        route.methods = {"GET"}
    return route


def account_of(request: Request) -> str:
    """Return the account ID in the path. Refusal: 7003, it is not an account ID."""
    account = str(request.path_params["account"])
    if not _ID.fullmatch(account):
        raise codes.no_route(request.url.path)
    return account


def zone_of(request: Request) -> str:
    """Return the zone ID in the path. Refusal: 7003, it is not a zone ID."""
    zone = str(request.path_params["zone"])
    if not _ID.fullmatch(zone):
        raise codes.no_route(request.url.path)
    return zone


def name_of(request: Request, parameter: str) -> str:
    """Return a name in the path."""
    return str(request.path_params[parameter])


def flag(request: Request, name: str) -> bool:
    """Return a boolean parameter of the query."""
    return request.query_params.get(name, "").lower() in {"true", "1"}


def number(request: Request, name: str, default: int) -> int:
    """Return a positive number of the query, or the default if it is missing or invalid."""
    text = request.query_params.get(name, "")
    return int(text) if _NUMBER.fullmatch(text) and int(text) > 0 else default


def answer_page(
    request: Request, items: Sequence[Any], *, per_page: int = 100, listed: str = ""
) -> Response:
    """Answer with the page of a list that the query asks for.

    Args:
        per_page: how many items a page has if the query does not say.
        listed: the key of the items in the answer's result; empty if the result is the items.
    """
    page, size = number(request, "page", 1), number(request, "per_page", per_page)
    part = list(items[(page - 1) * size : page * size])
    info = {"page": page, "per_page": size, "count": len(part), "total_count": len(items)}
    return success({listed: part} if listed else part, info=info)


async def json_body(request: Request) -> Any:
    """Return the body as JSON. Refusal: 10001, the body is not JSON."""
    try:
        return parse_json(await request.body())
    except NotJsonError as error:
        raise codes.invalid_body(f"The request body is not valid JSON: {error}.") from None


async def json_object(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object. Refusal: 10001, the body is not a JSON object."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise codes.invalid_body("The request body is not a JSON object.")
    return body
