"""Makes values fit to be shown: secrets and unknowns by their names, differences by their paths."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from flowflare.values.events import Change
from flowflare.values.properties import (
    UNKNOWN,
    Asset,
    Props,
    Reference,
    Secret,
    Value,
    as_number,
    equal,
    map_leaves,
)
from flowflare.values.urns import name_of

SECRET_TEXT: Final = "[secret]"  # noqa: S105 -- what is shown instead of one
UNKNOWN_SHOWN: Final = "[unknown]"
# A longer text, or one of several lines, is told by its size and digest among changes.
_LONGEST: Final = 200
# Not the reader's: the pickled dynamic provider and the engine's own bookkeeping.
_HIDDEN: Final = frozenset({"__provider", "__internal", "__meta", "__pulumi_raw_state_delta"})
# What tells the items of a secret list apart, such as a script's bindings.
_OPEN_IN_A_LIST: Final = frozenset({"name", "type"})
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][\w$]*")


class Mask:
    """Opens every sealed secret to a mask, for what is shown or looked up without secrets."""

    def open(self, ciphertext: str) -> Value:
        """Return the mask."""
        del ciphertext
        return SECRET_TEXT


def shown(value: Value, *, show_secrets: bool = False) -> Any:
    """A value as JSON values, secrets masked unless they are asked for."""

    def leaf(item: Value) -> Any:
        if isinstance(item, Secret):
            return shown(item.value, show_secrets=True) if show_secrets else SECRET_TEXT
        if item is UNKNOWN:
            return UNKNOWN_SHOWN
        if isinstance(item, Asset):
            return f"[{'archive' if item.archive else 'asset'}]"
        if isinstance(item, Reference):
            return shown(item.urn if item.id is None else item.id)
        return as_number(item) if isinstance(item, float) else item

    return map_leaves(value, leaf)


def shown_props(props: Props, *, show_secrets: bool = False) -> dict[str, Any]:
    """Properties by name as JSON values, those that are not the reader's left out."""
    return {
        key: shown(value, show_secrets=show_secrets)
        for key, value in props.items()
        if key not in _HIDDEN
    }


def shown_inputs(props: Props) -> dict[str, Any]:
    """Inputs by name as JSON values; a secret list of named items shows their names and types.

    Cloudflare's plugin makes all of `bindings` secret, and a review compares bindings by name.
    """
    return {
        key: list(shown(named).values()) if (named := secret_names(value)) else shown(value)
        for key, value in props.items()
        if key not in _HIDDEN
    }


def secret_names(value: Value) -> dict[str, Value] | None:
    """The items of a secret list by name, their names and types open; None for another value."""
    return _by_name(value) if isinstance(value, Secret) else None


def told(value: Value) -> Any:
    """A value as JSON values, secrets masked and each long text as its size and digest.

    Keys are sorted: what comes from the SDK has them in another order each time.
    """
    return _in_order(map_leaves(shown(value), _told_text))


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return [_in_order(item) for item in value] if isinstance(value, list) else value


def _told_text(value: Value) -> Value:
    if not isinstance(value, str) or (len(value) <= _LONGEST and "\n" not in value):
        return value
    data = value.encode()
    lines = value.count("\n") + (not value.endswith("\n"))
    digest = hashlib.sha256(data).hexdigest()[:12]
    return f"[{len(data):,} bytes, {lines:,} {'line' if lines == 1 else 'lines'}, sha256 {digest}]"


def changes(
    old: Props,
    new: Props,
    *,
    replaces: Sequence[str] = (),
    sources: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Change, ...]:
    """The differences between a resource's old and new inputs, by path.

    Args:
        old: the inputs in state.
        new: the inputs that the program wants.
        replaces: properties whose change forces a replacement.
        sources: property to the URNs that its value comes from; they name an unknown.
    """
    found = []
    for key in sorted((old.keys() | new.keys()) - _HIDDEN):
        forces = any(re.split(r"[.\[]", path, maxsplit=1)[0] == key for path in replaces)
        names = tuple(sorted({name_of(urn) for urn in (sources or {}).get(key, ())}))
        for path, before, after in _differences(below("", key), old.get(key), new.get(key)):
            found.append(_change(path, before, after, forces=forces, names=names))
    return tuple(found)


def _change(
    path: str, before: Value, after: Value, *, forces: bool, names: tuple[str, ...]
) -> Change:
    return Change(
        path=path,
        kind="add" if before is None else "delete" if after is None else "update",
        old=told(before),
        new=told(after),
        replaces=forces,
        waits_for=names if _is_unknown(after) else (),
    )


def _is_unknown(value: Value) -> bool:
    return UNKNOWN_SHOWN in str(shown(value)) if not isinstance(value, str) else False


def _differences(path: str, old: Value, new: Value) -> Iterator[tuple[str, Value, Value]]:
    """Walks two values side by side down to where they differ."""
    if (isinstance(old, Secret) or isinstance(new, Secret)) and equal(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        parts = [(below(path, key), old.get(key), new.get(key)) for key in sorted({**old, **new})]
    elif (names := _names(old, new)) is not None:
        parts = [(f'{path}["{name}"]', before, after) for name, before, after in names]
    elif isinstance(old, list) and isinstance(new, list):
        pairs = enumerate(zip_longest(old, new))
        parts = [(f"{path}[{index}]", before, after) for index, (before, after) in pairs]
    else:
        if not equal(old, new):
            yield path, old, new
        return
    for inner, before, after in parts:
        yield from _differences(inner, before, after)


def _names(old: Value, new: Value) -> list[tuple[str, Value, Value]] | None:
    """The items of two lists side by side by name, None where they have none or only move."""
    before, after = _by_name(old), _by_name(new)
    if before is None or after is None or not (before or after):
        return None
    if before.keys() == after.keys() and list(before) != list(after):
        return None
    return [(name, before.get(name), after.get(name)) for name in sorted({**before, **after})]


def _by_name(value: Value) -> dict[str, Value] | None:
    """The items of a list by their names, None where the items have none of their own.

    A list that is secret as a whole is opened for names and types; all else in it stays secret.
    """
    if value is None:
        return {}
    hidden = isinstance(value, Secret)
    items = value.value if isinstance(value, Secret) else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    named = {item["name"]: item for item in items if isinstance(item.get("name"), str)}
    if len(named) != len(items):
        return None
    return {name: _hidden(item) for name, item in named.items()} if hidden else named


def _hidden(item: Props) -> Props:
    return {
        key: value if key in _OPEN_IN_A_LIST or isinstance(value, Secret) else Secret(value)
        for key, value in item.items()
    }


def below(path: str, key: str) -> str:
    """The path of a key below a path: `placement.mode`, `headers["a-b"]`."""
    if not _PLAIN_KEY.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key
