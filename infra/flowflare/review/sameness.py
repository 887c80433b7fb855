"""Tells which stacks change in the same way although they differ elsewhere.

Tenants have their own allowed origins, variables and secrets. What stays as it is in a stack and
cannot be seen in its review is left out of the comparison: unchanged lines of code, unchanged
values of bindings, unchanged secrets.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.engine.recording import TEXT
from flowflare.values.wire import SIGNATURE

#: Properties of which what does not change is not shown: code, and values of bindings.
_UNSEEN: Final = frozenset({"content", "text", "json"})
#: Lines around a change that a diff shows.
CONTEXT: Final = 2
_HEADING: Final = "// "


@dataclass(frozen=True)
class Change:
    """What happens to a stack, told apart from what it is.

    Attributes:
        key: the same for stacks that change in the same way.
        unseen: the same for stacks of which also that is the same which the key leaves out.
        context: lines next to those that change in code.
    """

    key: str
    unseen: int
    context: tuple[str, ...]


def whole(raw: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """A dumped recording with its long texts in their places and common words for its own.

    Args:
        raw: the recording, `words` among it: own words and what stands for them; one that begins
            with `=` is a whole value and no part of another.
        texts: long texts by digest.
    """
    exact = {own[1:]: common for own, common in raw["words"].items() if own.startswith("=")}
    words = [(own, common) for own, common in raw["words"].items() if not own.startswith("=")]

    def told(value: Any) -> Any:
        if isinstance(value, str):
            if value in exact:
                return exact[value]
            for own, common in words:
                if own in value:
                    value = value.replace(own, common)
            return value
        if isinstance(value, dict):
            if value.keys() == {TEXT}:
                return told(texts[value[TEXT]])
            # A commit's own release may have recorded maps in another order each time.
            return {told(key): told(item) for key, item in sorted(value.items())}
        return [told(item) for item in value] if isinstance(value, list) else value

    return {key: told(value) for key, value in raw.items() if key != "words"}


def change_of(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Change:
    """What leads from one recording to another; both as `whole` makes them, None for no stack."""
    return _Pairs().change(before, after)


class _Pairs:
    """Walks two recordings at the same time, and keeps what it leaves out."""

    def __init__(self) -> None:
        self._unseen: list[str] = []
        self._context: list[str] = []

    def change(self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Change:
        old, new = _by_urn(before), _by_urn(after)
        told: list[Any] = [_rest(before), _rest(after)]
        for urn in sorted(old.keys() | new.keys()):
            if urn in old and urn in new:
                told.append(self._resource(old[urn], new[urn]))
            else:
                told.append([urn in old, self._alone(old.get(urn) or new[urn])])
        text = json.dumps(told, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()
        return Change(key, hash(tuple(self._unseen)), tuple(self._context))

    def _resource(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Any:
        if not old.get("custom") and not new.get("custom") and old == new:
            # What a component tells its stack is shown nowhere while it stays.
            return [old["urn"], self._left_out({**old, "urn": ""})]
        return self._both(old, new, "")

    def _alone(self, value: Any, key: str = "") -> Any:
        """A value of which there is only one: code is shown by its size, secrets not at all."""
        if key == "content" and isinstance(value, str):
            return self._left_out(value)
        if _is_secret(value):
            return self._left_out(value)
        if isinstance(value, dict):
            return {name: self._alone(item, name) for name, item in value.items()}
        return [self._alone(item) for item in value] if isinstance(value, list) else value

    def _both(self, old: Any, new: Any, key: str) -> Any:
        if _is_secret(old) or _is_secret(new):
            self._left_out([old, new])
            return ["secret", _is_secret(old), _is_secret(new), old == new]
        if isinstance(old, dict) and isinstance(new, dict):
            # In order: `_item` also appends to lists that are compared later.
            return {name: self._item(old, new, name) for name in sorted(old.keys() | new.keys())}
        if isinstance(old, list) and isinstance(new, list):
            return self._lists(old, new)
        if old == new:
            return self._left_out(old) if key in _UNSEEN else old
        if key == "content" and isinstance(old, str) and isinstance(new, str):
            return self._lines(old.splitlines(), new.splitlines())
        return ["changed", old, new]

    def _item(self, old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> Any:
        if name in old and name in new:
            return self._both(old[name], new[name], name)
        return [name in old, self._alone(old.get(name, new.get(name)), name)]

    def _lists(self, old: Sequence[Any], new: Sequence[Any]) -> Any:
        before, after = _named(old), _named(new)
        if before is None or after is None:
            if len(old) != len(new):
                return ["changed", self._alone(old), self._alone(new)]
            return [self._both(one, two, "") for one, two in zip(old, new, strict=True)]
        order = [[one["name"] for one in old], [one["name"] for one in new]]
        return [*order, self._both(before, after, "")]

    def _lines(self, old: Sequence[str], new: Sequence[str]) -> Any:
        """The lines that change, under the source that they are in."""
        least = min(len(old), len(new))
        start = next((at for at in range(least) if old[at] != new[at]), least)
        end = next((at for at in range(least - start) if old[~at] != new[~at]), least - start)
        within = next((one for one in reversed(old[:start]) if one.startswith(_HEADING)), "")
        until = len(old) - end
        self._context += [*old[max(0, start - CONTEXT) : start], *old[until : until + CONTEXT]]
        self._left_out([old[:start], old[until:]])
        return [within, old[start:until], new[start : len(new) - end]]

    def _left_out(self, value: Any) -> str:
        self._unseen.append(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
        return ""


def _by_urn(recording: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    return {one["urn"]: one for one in (recording or {}).get("resources", ())}


def _rest(recording: Mapping[str, Any] | None) -> Any:
    if recording is None:
        return None
    return {key: value for key, value in recording.items() if key != "resources"}


def _named(items: Sequence[Any]) -> dict[str, Any] | None:
    """A list's items by their names; None where they have none, or one twice."""
    if not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in items):
        return None
    found = {one["name"]: one for one in items}
    return found if len(found) == len(items) else None


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and SIGNATURE in value
