"""Prepares values for reports: masks secrets and unknowns, lists differences by path."""

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
from flowflare.values.wire import UNKNOWN_TEXT

SECRET_TEXT: Final = "[secret]"  # noqa: S105 -- what is shown instead of one
UNKNOWN_SHOWN: Final = "[unknown]"
#: Begins the ID of a resource that the second of two compared recordings creates.
NEW_ID_START: Final = "[new id of "
# Among changes, a longer text or a text of several lines is shown as its size and digest.
_LONGEST: Final = 200
# Properties that are not shown: the pickled dynamic provider and the engine's own records.
_HIDDEN: Final = frozenset({"__provider", "__internal", "__meta", "__pulumi_raw_state_delta"})
# The fields that identify the items of a secret list, such as a script's bindings.
_OPEN_IN_A_LIST: Final = frozenset({"name", "type"})
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][\w$]*")


class Mask:
    """A vault that decrypts every secret to a mask, for reports and reads without secrets."""

    def open(self, ciphertext: str) -> Value:
        """Return the mask."""
        del ciphertext
        return SECRET_TEXT


def show_value(value: Value, *, show_secrets: bool = False) -> Any:
    """Convert a value to JSON values, with masked secrets unless `show_secrets` is set."""

    def leaf(item: Value) -> Any:
        if isinstance(item, Secret):
            return show_value(item.value, show_secrets=True) if show_secrets else SECRET_TEXT
        if item is UNKNOWN or item == UNKNOWN_TEXT:
            return UNKNOWN_SHOWN
        if isinstance(item, Asset):
            return f"[{'archive' if item.archive else 'asset'}]"
        if isinstance(item, Reference):
            return show_value(item.urn if item.id is None else item.id)
        return as_number(item) if isinstance(item, float) else item

    return map_leaves(value, leaf)


def shown_props(props: Props, *, show_secrets: bool = False) -> dict[str, Any]:
    """Convert properties to JSON values, without those that are not shown."""
    return {
        key: show_value(value, show_secrets=show_secrets)
        for key, value in props.items()
        if key not in _HIDDEN
    }


def shown_inputs(props: Props) -> dict[str, Any]:
    """Convert inputs to JSON values; a secret list of named items shows their names and types.

    Cloudflare's plugin makes all of `bindings` secret, and a review compares bindings by name.
    """
    return {
        key: list(show_value(named).values())
        if (named := secret_names(value))
        else show_value(value)
        for key, value in props.items()
        if key not in _HIDDEN
    }


def secret_names(value: Value) -> dict[str, Value] | None:
    """Return a secret list's items by name, with visible names and types; None for other values."""
    return _index_by_name(value) if isinstance(value, Secret) else None


def summarize(value: Value) -> Any:
    """Convert a value to JSON values, with masked secrets, and long strings as size and digest.

    Keys are sorted, because the SDK's order of keys changes.
    """
    return _sort_keys(map_leaves(show_value(value), _summarize_text))


def _sort_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sort_keys(value[key]) for key in sorted(value)}
    return [_sort_keys(item) for item in value] if isinstance(value, list) else value


def _summarize_text(value: Value) -> Value:
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
        new: the inputs in the program.
        replaces: properties whose change forces a replacement.
        sources: by property, the URNs of the resources that an unknown value needs.
    """
    found = []
    for key in sorted((old.keys() | new.keys()) - _HIDDEN):
        forces = any(re.split(r"[.\[]", path, maxsplit=1)[0] == key for path in replaces)
        names = tuple(sorted({name_of(urn) for urn in (sources or {}).get(key, ())}))
        for path, before, after in _find_differences(below("", key), old.get(key), new.get(key)):
            found.append(_make_change(path, before, after, forces=forces, names=names))
    return tuple(found)


def _make_change(
    path: str, before: Value, after: Value, *, forces: bool, names: tuple[str, ...]
) -> Change:
    return Change(
        path=path,
        kind="add" if before is None else "delete" if after is None else "update",
        old=summarize(before),
        new=summarize(after),
        replaces=forces,
        waits_for=names if _is_unknown(after) else (),
    )


def _is_unknown(value: Value) -> bool:
    return UNKNOWN_SHOWN in str(show_value(value)) if not isinstance(value, str) else False


def _find_differences(path: str, old: Value, new: Value) -> Iterator[tuple[str, Value, Value]]:
    """Compare two values recursively; yield the innermost differences."""
    if (isinstance(old, Secret) or isinstance(new, Secret)) and equal(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        parts = [(below(path, key), old.get(key), new.get(key)) for key in sorted({**old, **new})]
    elif (names := _pair_by_name(old, new)) is not None:
        parts = [(f'{path}["{name}"]', before, after) for name, before, after in names]
    elif isinstance(old, list) and isinstance(new, list):
        pairs = enumerate(zip_longest(old, new))
        parts = [(f"{path}[{index}]", before, after) for index, (before, after) in pairs]
    else:
        if not equal(old, new):
            yield path, old, new
        return
    for inner, before, after in parts:
        yield from _find_differences(inner, before, after)


def _pair_by_name(old: Value, new: Value) -> list[tuple[str, Value, Value]] | None:
    """Pair the items of two lists by name; None without names, or if only the order changes."""
    before, after = _index_by_name(old), _index_by_name(new)
    if before is None or after is None or not (before or after):
        return None
    if before.keys() == after.keys() and list(before) != list(after):
        return None
    return [(name, before.get(name), after.get(name)) for name in sorted({**before, **after})]


def _index_by_name(value: Value) -> dict[str, Value] | None:
    """Return the items of a list by their names; None if not all have unique names.

    Of a secret list, only names and types are decrypted; the other fields stay secret.
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
    return {name: _hide_fields(item) for name, item in named.items()} if hidden else named


def _hide_fields(item: Props) -> Props:
    return {
        key: value if key in _OPEN_IN_A_LIST or isinstance(value, Secret) else Secret(value)
        for key, value in item.items()
    }


def below(path: str, key: str) -> str:
    """Return the path of a key below a path: `placement.mode`, `headers["a-b"]`."""
    if not _PLAIN_KEY.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key
