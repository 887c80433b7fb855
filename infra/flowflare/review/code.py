"""Compares the texts of a step line by line: a Worker's code, SQL, nested properties.

A Worker's module is a bundle in which each source begins with a comment of its path. What is not
the reader's own, the runtime library and npm packages, is told by the number of its lines.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from flowflare.kinds.registry import find_kind
from flowflare.review.entries import Difference
from flowflare.review.risk import describe
from flowflare.review.values import is_small
from flowflare.values.events import Change, Step

_MODULE: Final = re.compile(r"^// ((?:[\w@.-]+:)?[\w@./+-]+\.[A-Za-z]+)$")
_FOREIGN: Final = ("flowflare:", "node_modules/")
# Code and SQL as themselves, class migrations and bindings in words.
_TOLD_ELSEWHERE: Final = ("content", "migrations[", "history", "bindings[")
_TAG: Final = "class migrations up to "
#: More lines than these of one text, and longer ones, are cut: `flowflare render` writes it whole.
MOST_LINES: Final = 80
WIDEST: Final = 160


def differences(step: Step) -> tuple[Difference, ...]:
    """The texts of a step that differ, each as a unified diff."""
    if step.op in ("same", "delete"):
        return ()
    return tuple(one for one in _all(step) if one.lines)


def _all(step: Step) -> Iterator[Difference]:
    old, new = step.old or {}, step.new or {}
    before, after = old.get("content"), new.get("content")
    kind = find_kind(step.type)
    has_modules = kind is not None and kind.has_modules
    if has_modules and isinstance(before, str) and isinstance(after, str) and before != after:
        yield from _modules(before, after)
    for name, text in describe(step).texts.items():
        yield Difference(of=name, lines=_cut([f"+{line}" for line in text.splitlines()]))
    for change in step.changes:
        if not _is_told_elsewhere(change):
            yield Difference(of=change.path, lines=_cut(_unified(*_texts(change))))


def _is_told_elsewhere(change: Change) -> bool:
    if change.path.startswith(_TOLD_ELSEWHERE):
        return True
    # What fits into rows says it all there.
    return is_small(change.old) and is_small(change.new)


def _texts(change: Change) -> tuple[list[str], list[str]]:
    return _lines(change.old), _lines(change.new)


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).splitlines()


def _modules(before: str, after: str) -> Iterator[Difference]:
    """The sources of a bundle that differ."""
    old, new = _sections(before), _sections(after)
    for name in [*new, *(one for one in old if one not in new)]:
        one, two = old.get(name, []), new.get(name, [])
        if one == two:
            continue
        lines = _unified(one, two)
        if name.startswith(_FOREIGN):
            changed = sum(line[0] in "+-" for line in lines)
            lines = [f"... {changed} changed {'line' if changed == 1 else 'lines'}"]
        yield Difference(of=name, lines=_cut(lines))


def _sections(code: str) -> Mapping[str, list[str]]:
    """The lines of a bundle by the source that they are from; a source may come in pieces."""
    found: dict[str, list[str]] = {}
    name = "the module's beginning"
    for line in code.splitlines():
        # Of thousands of lines few begin so; a thousand stacks are compared in a row.
        begin = line[:3]
        if begin == "// ":
            match = _MODULE.match(line)
            if match:
                name = match.group(1)
                found.setdefault(name, [])
                continue
            if _TAG in line:
                continue  # the class migrations tell it
        elif begin == "exp" and line.startswith(("export {", "export default create")):
            name = "the module's end"
        found.setdefault(name, []).append(line)
    return found


def _unified(old: Sequence[str], new: Sequence[str]) -> list[str]:
    # The first two lines, names of files, say nothing here.
    return list(difflib.unified_diff(old, new, n=2, lineterm=""))[2:]


def _cut(lines: Sequence[str]) -> tuple[str, ...]:
    shown = [line if len(line) <= WIDEST else f"{line[:WIDEST]}..." for line in lines[:MOST_LINES]]
    more = len(lines) - MOST_LINES
    return (*shown, *([f"... {more} more lines"] if more > 0 else []))
