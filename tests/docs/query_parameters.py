"""Compare the query parameters that clients send with those that the emulator reads.

A parameter counts as read if its name is a string in the code of the operation's handler, or in a
function that the handler calls by name in its own module or in `flowflare.emulator.requests`.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudflare
from starlette.routing import Route

from flowflare.emulator import requests

_PARAMETER = re.compile(r"\{[^}]*\}")
_VERBS = {
    "_get": "GET",
    "_get_api_list": "GET",
    "_post": "POST",
    "_put": "PUT",
    "_patch": "PATCH",
    "_delete": "DELETE",
}

#: The SDK's folders with operations that the emulator may serve; parsing all takes ten seconds.
_RESOURCES = (
    *("accounts", "d1", "dns", "durable_objects", "hyperdrive", "kv", "memberships", "queues"),
    *("r2", "secrets_store", "user", "vectorize", "workers", "workers_for_platforms"),
    *("workflows", "zones"),
)
#: What clients other than the SDK send or read, by method and path.
_OTHERS = {
    ("GET", "/accounts/{}/workers/scripts/{}/content/v2"): {"version", "cf-entrypoint"},
}


@cache
def sdk_parameters() -> dict[tuple[str, str], frozenset[str]]:
    """Return the query parameters of the SDK's operations, by method and path without names."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    resources = Path(cloudflare.__file__).parent / "resources"
    for file in sorted(file for name in _RESOURCES for file in resources.glob(f"{name}/**/*.py")):
        text = file.read_text(encoding="utf-8")
        if "query=" in text:
            for operation, names in _operations(ast.parse(text)):
                found[operation] = found.get(operation, frozenset()) | names
    for operation, names in _OTHERS.items():
        found[operation] = found.get(operation, frozenset()) | names
    return found


def _operations(tree: ast.Module) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            method = _VERBS.get(call.func.attr)
            if method and call.args:
                path = _path(call.args[0])
                yield (_call_method(call, method), path), frozenset(_query(call))


def _call_method(call: ast.Call, method: str) -> str:
    """Return the method of a call; a list may name another one."""
    for keyword in call.keywords:
        if keyword.arg == "method" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value).upper()
    return method


def _path(node: ast.expr) -> str:
    """Return the path of a call, with `{}` for each parameter."""
    texts = [
        str(each.value)
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and str(each.value).startswith("/")
    ]
    return _PARAMETER.sub("{}", max(texts, key=len)) if texts else ""


def _query(call: ast.Call) -> Iterator[str]:
    for keyword in ast.walk(call):
        if isinstance(keyword, ast.keyword) and keyword.arg == "query":
            for each in ast.walk(keyword.value):
                if isinstance(each, ast.Dict):
                    yield from (
                        str(key.value) for key in each.keys if isinstance(key, ast.Constant)
                    )


def unread_parameters(method: str, path: str, route: Route) -> frozenset[str]:
    """Return what clients send to an operation, or read of its answer, and its route ignores.

    Args:
        path: the path without the names of its parameters.
    """
    sent = sdk_parameters().get((method, path), frozenset())
    return sent - strings_read_by(handler_of(route)) if sent else sent


def handler_of(route: Route) -> Callable[..., Any]:
    """Return the method of a service that answers a route."""
    handler: Callable[..., Any] = inspect.getclosurevars(route.endpoint).nonlocals["handler"]
    return handler


def strings_read_by(handler: Callable[..., Any]) -> frozenset[str]:
    """List the strings in the code of a handler and of what it calls."""
    if isinstance(handler, partial):
        handler = handler.func
    service = getattr(handler, "__self__", None)
    strings: set[str] = set()
    seen: set[Any] = set()
    waiting: list[Any] = [getattr(handler, "__func__", handler)]
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        for node in _nodes(function):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                strings.add(node.value)
            called = _find_called(node, service, inspect.getmodule(function))
            if called is not None:
                waiting.append(called)
    return frozenset(strings)


@cache
def _nodes(function: Any) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))


def _find_called(node: ast.AST, service: object, module: ModuleType | None) -> Any:
    """Return the function that a name or a method of the service stands for, if it is ours."""
    found: Any = None
    if isinstance(node, ast.Name) and module is not None:
        found = getattr(module, node.id, None)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        found = getattr(type(service), node.attr, None) if node.value.id == "self" else None
    if not inspect.isfunction(found):
        return None
    ours = {requests.__name__, getattr(module, "__name__", "")}
    near = found.__module__.startswith("flowflare.emulator.services")
    return found if near or found.__module__ in ours else None
