"""The shapes of requests in the official SDK, as strategies of Hypothesis with hostile values.

The typed parameters of an operation are the `TypedDict` that its list of operations links to.
"""

import importlib
import re
import types
import typing
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cloudflare
from hypothesis import strategies as st
from typing_extensions import get_type_hints, is_typeddict

_LINK = re.compile(
    r'<code title="(?P<method>\w+) (?P<path>[^"]+)">client\.[^\n]*?'
    r'\\\*\\\*<a href="src/(?P<file>cloudflare/types/[^"]+)\.py">'
)
_PARAMETER = re.compile(r"\{([^}]*)\}")

TEXTS = (
    *("", "a", "app", "..", ".", "%00", "%2e%2e", "//", "é", "\u202e", "\x7f", "\x00", "a b", "*"),
    *("' OR 1=1 --", "<b>", "${x}", "__proto__", "constructor", "x" * 3_000, "0", "-1", "1e999"),
    *(
        "9" * 400,
        "null",
        "true",
        "NaN",
        "0" * 32,
        "../../etc/passwd",
        "file:///etc/passwd",
        "\ud800",
    ),
    *("00000000-0000-0000-0000-000000000000", "2026-12-01T00:00:00Z", "9999-99-99T99:99:99Z"),
    *("SELECT 1", "PRAGMA page_count", "* * * * *", "worker.js", "example.com", "example.com/*"),
)
NUMBERS = (0, -1, 1, 2, 100, 2**31, 2**53, 2**63, -(2**63) - 1, 10**400, 1.5, -0.0, 1e308, True)


def hostile() -> st.SearchStrategy[Any]:
    """Return values of any JSON type, edge cases before others."""
    leaves = st.one_of(st.none(), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(TEXTS))
    return st.recursive(
        leaves | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(TEXTS) | st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    )


@cache
def parameters() -> dict[tuple[str, str], Any]:
    """Return the typed parameters of every operation, by method and path without names."""
    found: dict[tuple[str, str], Any] = {}
    for page in sorted((Path(cloudflare.__file__).parent / "resources").glob("*/api.md")):
        for match in _LINK.finditer(page.read_text(encoding="utf-8")):
            key = match["method"].upper(), _PARAMETER.sub("{}", match["path"])
            found.setdefault(key, match["file"].replace("/", "."))
    return found


@cache
def shape(method: str, path: str) -> st.SearchStrategy[Any]:
    """Return the values of an operation's query or body; anything if the SDK has no type for it.

    Args:
        path: with `{}` for each parameter.
    """
    name = parameters().get((method, path))
    if name is None:
        return hostile()
    try:
        module = importlib.import_module(name)
    except ImportError:
        # Some of the SDK's modules import each other in a circle.
        return hostile()
    wanted = name.rpartition(".")[2].replace("_", "")
    kind = next(getattr(module, each) for each in dir(module) if each.lower() == wanted)
    return _values(kind, 0)


def _values(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    """Return values of a type of the SDK; one in about ten has another type."""
    valid = _valid(kind, depth)
    return st.integers(0, 9).flatmap(lambda chance: hostile() if chance == 9 else valid)


def _valid(kind: Any, depth: int) -> st.SearchStrategy[Any]:  # noqa: PLR0911 -- one for each form
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if is_typeddict(kind):
        return _mapping(kind, depth)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Annotated, typing.Required, typing.NotRequired):
        return _valid(arguments[0], depth)
    if origin in (typing.Union, types.UnionType):
        return st.sampled_from(arguments).flatmap(lambda each: _valid(each, depth))
    if origin is dict:
        return st.dictionaries(st.sampled_from(TEXTS), _values(arguments[1], depth + 1), max_size=2)
    if arguments and isinstance(origin, type) and issubclass(origin, Iterable | Sequence):
        return st.lists(_values(arguments[0], depth + 1), max_size=3)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: st.sampled_from(TEXTS) | st.text(max_size=12),
        int: st.sampled_from(NUMBERS),
        float: st.sampled_from(NUMBERS),
        bool: st.booleans(),
        type(None): st.none(),
    }
    return simple.get(kind, hostile())


@cache
def _mapping(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    if depth > 4:
        return st.just({})
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if name in ("account_id", "zone_id"):
            continue
        fields[_alias(hint) or name] = st.deferred(
            lambda hint=hint: _values(hint, depth + 1)  # type: ignore[misc]
        )
    required = kind.__required_keys__
    least = {name: value for name, value in fields.items() if name in required}
    rest = {name: value for name, value in fields.items() if name not in required}
    return st.fixed_dictionaries(least, optional=rest)


def _alias(hint: Any) -> str | None:
    """Return the name on the wire, which the SDK annotates where it differs."""
    if typing.get_origin(hint) in (typing.Required, typing.NotRequired):
        return _alias(typing.get_args(hint)[0])
    for note in getattr(hint, "__metadata__", ()):
        if alias := getattr(note, "alias", None):
            return str(alias)
    return None
