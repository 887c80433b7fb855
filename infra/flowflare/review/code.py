"""Compare the strings of a step line by line: a Worker's code, SQL, nested properties.

A Worker's module is a bundle in which each source file begins with a comment that has its path.
Only the number of changed lines is shown for sources of the runtime library and of npm packages.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

from flowflare.kinds.registry import find_kind
from flowflare.review.entries import Difference
from flowflare.review.risk import describe
from flowflare.review.values import is_small
from flowflare.values.events import Change, Step

_MODULE: Final = re.compile(r"^// ((?:[\w@.-]+:)?[\w@./+-]+\.[A-Za-z]+)$")
_FOREIGN: Final = ("flowflare:", "node_modules/")
# Code and SQL have their own texts here; class migrations and bindings are described in words.
_SHOWN_ELSEWHERE: Final = ("content", "migrations[", "history", "bindings[")
_TAG: Final = "class migrations up to "
_OPTIONS: Final = "export default create"
#: The text with the rendered options of a service.
OPTIONS_TEXT: Final = "the module's end"
#: Longer texts and longer lines are cut; `flowflare render` writes them in full.
MOST_LINES: Final = 80
WIDEST: Final = 160


def compare_texts(step: Step) -> tuple[Difference, ...]:
    """Return a unified diff for each text of a step that changes."""
    if step.op in ("same", "delete"):
        return ()
    return tuple(difference for difference in _list_differences(step) if difference.lines)


def _list_differences(step: Step) -> Iterator[Difference]:
    old, new = step.old or {}, step.new or {}
    before, after = old.get("content"), new.get("content")
    kind = find_kind(step.type)
    has_modules = kind is not None and kind.has_modules
    if has_modules and isinstance(after, str) and before != after:
        shown = _compare_modules(before, after) if isinstance(before, str) else _show_options(after)
        yield from shown
    for name, text in describe(step).texts.items():
        yield Difference(of=name, lines=_cut([f"+{line}" for line in text.splitlines()]))
    for change in step.changes:
        if not _is_shown_elsewhere(change):
            yield Difference(of=change.path, lines=_cut(_diff_lines(*_format_sides(change))))


def _is_shown_elsewhere(change: Change) -> bool:
    if change.path.startswith(_SHOWN_ELSEWHERE):
        return True
    # Small values are shown in full as rows.
    return is_small(change.old) and is_small(change.new)


def _format_sides(change: Change) -> tuple[list[str], list[str]]:
    return _format_lines(change.old), _format_lines(change.new)


def _format_lines(value: Any) -> list[str]:
    if value is None:
        return []
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).splitlines()


def _compare_modules(before: str, after: str) -> Iterator[Difference]:
    """Compare the sources of a bundle."""
    old, new = _split_sources(before), _split_sources(after)
    for name in [*new, *(name for name in old if name not in new)]:
        before_lines, after_lines = old.get(name, []), new.get(name, [])
        if before_lines == after_lines:
            continue
        lines = _diff_lines(before_lines, after_lines)
        if name.startswith(_FOREIGN):
            changed = sum(line[0] in "+-" for line in lines)
            lines = [f"... {changed} changed {'line' if changed == 1 else 'lines'}"]
        yield Difference(of=name, lines=_cut(lines))


def _show_options(code: str) -> Iterator[Difference]:
    """Show the rendered options of a new service."""
    lines = code.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith(_OPTIONS)]
    if not starts:
        return
    options = list(takewhile(lambda line: not line.startswith("export {"), lines[starts[-1] :]))
    yield Difference(of=OPTIONS_TEXT, lines=_cut([f"+{line}" for line in options]))


def _split_sources(code: str) -> Mapping[str, list[str]]:
    """Group the lines of a bundle by source. One source may appear in several pieces."""
    found: dict[str, list[str]] = {}
    name = "the module's beginning"
    for line in code.splitlines():
        # Fast path: few of the thousands of lines begin so, and a thousand stacks may be compared.
        begin = line[:3]
        if begin == "// ":
            match = _MODULE.match(line)
            if match:
                name = match.group(1)
                found.setdefault(name, [])
                continue
            if _TAG in line:
                continue  # reported as a class migration
        elif begin == "exp" and line.startswith(("export {", _OPTIONS)):
            name = OPTIONS_TEXT
        found.setdefault(name, []).append(line)
    return found


def _diff_lines(old: Sequence[str], new: Sequence[str]) -> list[str]:
    # The first two lines are file names, which carry no information here.
    return list(difflib.unified_diff(old, new, n=2, lineterm=""))[2:]


def _cut(lines: Sequence[str]) -> tuple[str, ...]:
    shown = [line if len(line) <= WIDEST else f"{line[:WIDEST]}..." for line in lines[:MOST_LINES]]
    more = len(lines) - MOST_LINES
    return (*shown, *([f"... {more} more lines"] if more > 0 else []))
