"""Detect which stacks change in the same way, although they differ elsewhere.

Tenants have their own allowed origins, variables and secrets. The comparison ignores details that
do not change and that the review does not show: unchanged lines of code, unchanged values of
bindings, unchanged secrets.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.engine.embedded.recording import TEXT
from flowflare.values.wire import SIGNATURE

#: Properties whose unchanged values are not shown: code, and values of bindings.
_UNSEEN: Final = frozenset({"content", "text", "json"})
#: Lines around a change that a diff shows.
CONTEXT: Final = 2
_HEADING: Final = "// "
_ENTRYPOINT: Final = "WorkflowEntrypoint"


@dataclass(frozen=True)
class StackChange:
    """The change of a stack, without the stack's identity.

    Attributes:
        key: equal for stacks that change in the same way.
        unseen: equal for stacks that also have the same details that the key ignores.
        context: the lines next to changed lines of code.
    """

    key: str
    unseen: int
    context: tuple[str, ...]


def restore_texts(raw: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Restore long strings in a dumped recording, and replace the stack's own words by common ones.

    Args:
        raw: the recording. Its `words` map own words to common words. A word that begins with `=`
            replaces whole values only.
        texts: long strings by digest.
    """
    exact = {own[1:]: common for own, common in raw["words"].items() if own.startswith("=")}
    words = [(own, common) for own, common in raw["words"].items() if not own.startswith("=")]

    def replace_words(value: Any) -> Any:
        if isinstance(value, str):
            if value in exact:
                return exact[value]
            for own, common in words:
                if own in value:
                    value = value.replace(own, common)
            return value
        if isinstance(value, dict):
            if value.keys() == {TEXT}:
                return replace_words(texts[value[TEXT]])
            # The commit's own release may have recorded maps in a different order each time.
            return {replace_words(key): replace_words(item) for key, item in sorted(value.items())}
        return [replace_words(item) for item in value] if isinstance(value, list) else value

    return {key: replace_words(value) for key, value in raw.items() if key != "words"}


def compare_recordings(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> StackChange:
    """Compare two recordings as `restore_texts` returns them; None if the stack does not exist."""
    return _Comparison().change(before, after)


class _Comparison:
    """Walks two recordings in parallel, and collects the details that the key ignores."""

    def __init__(self) -> None:
        self._unseen: list[str] = []
        self._context: list[str] = []

    def change(
        self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> StackChange:
        old, new = _group_by_urn(before), _group_by_urn(after)
        described: list[Any] = [_select_rest(before), _select_rest(after)]
        for urn in sorted(old.keys() | new.keys()):
            if urn in old and urn in new:
                described.append(self._resource(old[urn], new[urn]))
            else:
                kept = self._alone(old[urn]) if urn in old else self._alone(new[urn], is_new=True)
                described.append([urn in old, kept])
        text = json.dumps(described, sort_keys=True)
        return StackChange(_make_digest(text), hash(tuple(self._unseen)), tuple(self._context))

    def _resource(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Any:
        if not old.get("custom") and not new.get("custom") and old == new:
            # A component's outputs are not shown while the component does not change.
            return [old["urn"], self._left_out({**old, "urn": ""})]
        return self._both(old, new, "")

    def _alone(self, value: Any, key: str = "", *, is_new: bool = False) -> Any:
        """Reduce a value that only one side has: secrets and removed code are not shown."""
        if (key == "content" and isinstance(value, str) and not is_new) or _is_secret(value):
            return self._left_out(value)
        if isinstance(value, dict):
            return {name: self._alone(item, name, is_new=is_new) for name, item in value.items()}
        if isinstance(value, list):
            return [self._alone(item, is_new=is_new) for item in value]
        return value

    def _both(self, old: Any, new: Any, key: str) -> Any:
        if _is_secret(old) or _is_secret(new):
            self._left_out([old, new])
            return ["secret", _is_secret(old), _is_secret(new), old == new]
        if isinstance(old, dict) and isinstance(new, dict):
            # Sorted, because `_item` also appends to lists that are compared later.
            return {name: self._item(old, new, name) for name in sorted(old.keys() | new.keys())}
        if isinstance(old, list) and isinstance(new, list):
            return self._lists(old, new)
        if old == new:
            return self._left_out(old) if key in _UNSEEN else old
        if key == "content" and isinstance(old, str) and isinstance(new, str):
            # A change to a Workflow's steps may depend on any other line of its code.
            whole = [_make_digest(old), _make_digest(new)] if _ENTRYPOINT in old + new else []
            return [*self._lines(old.splitlines(), new.splitlines()), *whole]
        return ["changed", old, new]

    def _item(self, old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> Any:
        if name in old and name in new:
            return self._both(old[name], new[name], name)
        return [name in old, self._alone(old.get(name, new.get(name)), name)]

    def _lists(self, old: Sequence[Any], new: Sequence[Any]) -> Any:
        before, after = _map_by_name(old), _map_by_name(new)
        if before is None or after is None:
            if len(old) != len(new):
                return ["changed", self._alone(old), self._alone(new)]
            pairs = zip(old, new, strict=True)
            return [self._both(before_item, after_item, "") for before_item, after_item in pairs]
        order = [[item["name"] for item in old], [item["name"] for item in new]]
        return [*order, self._both(before, after, "")]

    def _lines(self, old: Sequence[str], new: Sequence[str]) -> list[Any]:
        """Compare the lines of code, and return those that change with their source's heading."""
        least = min(len(old), len(new))
        start = next((at for at in range(least) if old[at] != new[at]), least)
        end = next((at for at in range(least - start) if old[~at] != new[~at]), least - start)
        within = next((line for line in reversed(old[:start]) if line.startswith(_HEADING)), "")
        until = len(old) - end
        self._context += [*old[max(0, start - CONTEXT) : start], *old[until : until + CONTEXT]]
        self._left_out([old[:start], old[until:]])
        return [within, old[start:until], new[start : len(new) - end]]

    def _left_out(self, value: Any) -> str:
        self._unseen.append(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
        return ""


def _make_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _group_by_urn(recording: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    return {record["urn"]: record for record in (recording or {}).get("resources", ())}


def _select_rest(recording: Mapping[str, Any] | None) -> Any:
    if recording is None:
        return None
    return {key: value for key, value in recording.items() if key != "resources"}


def _map_by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """Map a list's items by name; None if an item has no name, or a name occurs twice."""
    if not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        return None
    found = {item["name"]: item for item in items}
    return found if len(found) == len(items) else None


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and SIGNATURE in value
