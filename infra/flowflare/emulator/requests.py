"""Read a request's parameters and body, and refuse invalid ones in Cloudflare's words."""

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import signature
from types import FunctionType
from typing import Any, Final, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.json_text import NotJsonError, parse_json
from flowflare.emulator.runtime.contract import Runtime

API = "/client/v4"
CONTROL = "/emulator"
_ID = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"[0-9]{1,9}")

Handler = Callable[..., Awaitable[Response]]
_H = TypeVar("_H", bound=Handler)
_StoreT = TypeVar("_StoreT")
_SERVED: Final[dict[object, list[tuple[str, str]]]] = {}


def serves(method: str, path: str) -> Callable[[_H], _H]:
    """Let a method of a `Service` serve an operation; see `operation`."""

    def register(handler: _H) -> _H:
        _SERVED.setdefault(handler, []).insert(0, (method, path))
        return handler

    return register


class Routes:
    """Serve the operations that `serves` names, in the order of the methods."""

    def routes(self) -> list[BaseRoute]:
        """List the operations."""
        return [
            operation(method, path, getattr(self, name))
            for name, member in vars(type(self)).items()
            if isinstance(member, FunctionType)
            for method, path in _SERVED.get(member, ())
        ]


class Service(Routes, Generic[_StoreT]):
    """Serve operations on a store, whose changes the Workers runtime must know."""

    def __init__(self, store: _StoreT, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime


def operation(method: str, path: str, handler: Handler) -> BaseRoute:
    """Return the route of an operation.

    Args:
        path: the path below `/client/v4`, or one that begins with `/emulator/`.
        handler: receives the request and, by name, those parameters of the path that it declares.
    """
    names = list(signature(handler).parameters)[1:]

    async def answer(request: Request) -> Response:
        return await handler(request, **{name: _read_parameter(request, name) for name in names})

    if path.startswith(CONTROL):
        return Route(path, answer, methods=[method])
    route = Route(API + path, answer, methods=[method])
    if method == "GET":
        # Starlette adds HEAD to GET; Cloudflare's API has no HEAD.
        route.methods = {"GET"}
    return route


@contextmanager
def refuse_if_deleted(find: Callable[[], object]) -> Iterator[None]:
    """Refuse a call whose object was deleted while the call ran, as if it came after the deletion.

    Args:
        find: raises the refusal if the object does not exist.
    """
    try:
        yield
    except Exception:
        find()
        raise


def _read_parameter(request: Request, name: str) -> Any:
    """Return a parameter of the path. Refusal: 7003, it is not the ID of an account or a zone."""
    value = request.path_params[name]
    if name in ("account", "zone") and not _ID.fullmatch(value):
        raise codes.no_route(request.url.path)
    return value


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
