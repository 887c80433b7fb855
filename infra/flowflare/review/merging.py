"""Makes one review of several that say the same but for what stands beside the change.

What is not the same in all of them is not shown: lines around a change, sizes and digests of
texts, outputs, resources that only some have and that stay as they are.
"""

import json
import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from flowflare.review.entries import Difference, Entry, Review

_TEXT: Final = re.compile(r"\[[\d,]+ bytes, [\d,]+ lines?, sha256 [0-9a-f]{12}\]")
_SOME_TEXT: Final = "[text]"
_HUNK: Final = re.compile(r"^@@ -[\d,]+ \+[\d,]+ @@")
_VARIES: Final = " ..."


def merge_key(review: Review) -> str:
    """The same text for reviews that may be shown as one."""
    entries = [_told(one) for one in review.entries if one.is_shown]
    refusals = [one.model_dump() for one in review.refusals]
    return json.dumps([entries, refusals], sort_keys=True)


def of_several(review: Review, varying: Collection[str]) -> Review:
    """The review of one of several stacks, without what holds for this one only.

    Args:
        review: its review.
        varying: lines of code beside the change that not all of the stacks have.
    """
    entries = tuple(
        _with_differences(
            _without_digests(one),
            [
                [_VARIES if line[:1] == " " and line[1:] in varying else line for line in of.lines]
                for of in one.differences
            ],
        )
        for one in review.entries
    )
    return review.model_copy(update={"entries": entries, "outputs": {}})


def of_all(reviews: Sequence[Review]) -> Review:
    """One review for several that have the same `merge_key`."""
    same = set.intersection(*({_id(one) for one in each.entries} for each in reviews))
    kept = [[one for one in each.entries if one.is_shown or _id(one) in same] for each in reviews]
    shown = [[one for one in each if one.is_shown] for each in kept]
    merged = iter([_of_entries(alike) for alike in zip(*shown, strict=True)])
    entries = tuple(next(merged) if one.is_shown else one for one in kept[0])
    outputs = {
        name: value
        for name, value in reviews[0].outputs.items()
        if all(one.outputs.get(name) == value for one in reviews)
    }
    return reviews[0].model_copy(update={"entries": entries, "outputs": outputs})


def _id(entry: Entry) -> tuple[str, str]:
    return entry.name, entry.type


def _told(entry: Entry) -> dict[str, Any]:
    raw: dict[str, Any] = _without_digests(entry).model_dump(exclude={"urn"})
    raw["differences"] = [
        [one.of, [_numberless(line) for line in one.lines if line[:1] != " "]]
        for one in entry.differences
    ]
    return raw


def _numberless(line: str) -> str:
    return _HUNK.sub("@@", line)


def _without_digests(entry: Entry) -> Entry:
    changes = tuple(
        one.model_copy(update={"old": _some_text(one.old), "new": _some_text(one.new)})
        for one in entry.changes
    )
    return entry.model_copy(update={"changes": changes})


def _some_text(value: Any) -> Any:
    return _SOME_TEXT if isinstance(value, str) and _TEXT.fullmatch(value) else value


def _of_entries(alike: Sequence[Entry]) -> Entry:
    first = alike[0]
    if all(one == first for one in alike):
        return first
    lines = [
        _common_lines([one.differences[index].lines for one in alike])
        for index in range(len(first.differences))
    ]
    return _with_differences(_without_digests(first), lines)


def _common_lines(texts: Sequence[Sequence[str]]) -> list[str]:
    first = texts[0]
    if any(len(one) != len(first) for one in texts):
        return [_numberless(line) for line in first if line[:1] != " "]
    return [
        lines[0] if len(set(lines)) == 1 else _VARIES if lines[0][:1] == " " else "@@"
        for lines in zip(*texts, strict=True)
    ]


def _with_differences(entry: Entry, lines: Sequence[Sequence[str]]) -> Entry:
    differences = tuple(
        Difference(of=one.of, lines=tuple(new))
        for one, new in zip(entry.differences, lines, strict=True)
    )
    return entry.model_copy(update={"differences": differences})
