"""Merge reviews that show the same change but different surroundings into one review.

Details that differ between the stacks are not shown: lines around a change, sizes and digests of
strings, outputs, and unchanged resources that only some of the stacks have.
"""

import json
import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from flowflare.review.entries import Difference, Entry, Review
from flowflare.review.values import TEXT

_DIGEST: Final = re.compile(r"\[[\d,]+ bytes, [\d,]+ lines?, sha256 [0-9a-f]{12}\]")
_HUNK: Final = re.compile(r"^@@ -[\d,]+ \+[\d,]+ @@")
_VARIES: Final = " ..."


def make_merge_key(review: Review) -> str:
    """Return a string that is equal for reviews that can be shown as one."""
    entries = [_make_comparable(entry) for entry in review.entries if entry.is_shown]
    refusals = [refusal.model_dump() for refusal in review.refusals]
    return json.dumps([entries, refusals], sort_keys=True)


def keep_common(review: Review, varying: Collection[str]) -> Review:
    """Remove what does not apply to the group's other stacks from a stack's review.

    Args:
        varying: lines of code around the change that not all of the stacks have.
    """
    entries = tuple(
        _replace_differences(
            _drop_digests(entry),
            [
                [_hide_varying(line, varying) for line in difference.lines]
                for difference in entry.differences
            ],
        )
        for entry in review.entries
    )
    return review.model_copy(update={"entries": entries, "outputs": {}})


def drop_digests_of(review: Review, names: Collection[str]) -> Review:
    """Remove the digests of the strings of some resources, by name."""
    entries = tuple(
        _drop_digests(entry) if entry.name in names else entry for entry in review.entries
    )
    return review.model_copy(update={"entries": entries})


def _hide_varying(line: str, varying: Collection[str]) -> str:
    return _VARIES if line[:1] == " " and line[1:] in varying else line


def merge_reviews(reviews: Sequence[Review]) -> Review:
    """Merge reviews for which `make_merge_key` returns the same text into one review."""
    same = set.intersection(*({_identify(entry) for entry in each.entries} for each in reviews))
    kept = [
        [entry for entry in each.entries if entry.is_shown or _identify(entry) in same]
        for each in reviews
    ]
    shown = [[entry for entry in entries if entry.is_shown] for entries in kept]
    merged = iter([_merge_entries(alike) for alike in zip(*shown, strict=True)])
    entries = tuple(next(merged) if entry.is_shown else entry for entry in kept[0])
    return reviews[0].model_copy(
        update={"entries": entries, "outputs": select_common_outputs(reviews)}
    )


def select_common_outputs(reviews: Sequence[Review]) -> dict[str, Any]:
    """Return the outputs that all of the reviews have, with the same value."""
    return {
        name: value
        for name, value in reviews[0].outputs.items()
        if all(review.outputs.get(name) == value for review in reviews)
    }


def _identify(entry: Entry) -> tuple[str, str]:
    return entry.name, entry.type


def _make_comparable(entry: Entry) -> dict[str, Any]:
    raw: dict[str, Any] = _drop_digests(entry).model_dump(exclude={"urn"})
    raw["differences"] = [
        [text.of, [_drop_numbers(line) for line in text.lines if line[:1] != " "]]
        for text in entry.differences
    ]
    return raw


def _drop_numbers(line: str) -> str:
    return _HUNK.sub("@@", line)


def _drop_digests(entry: Entry) -> Entry:
    changes = tuple(
        change.model_copy(update={"old": _drop_digest(change.old), "new": _drop_digest(change.new)})
        for change in entry.changes
    )
    return entry.model_copy(update={"changes": changes})


def _drop_digest(value: Any) -> Any:
    return TEXT if isinstance(value, str) and _DIGEST.fullmatch(value) else value


def _merge_entries(alike: Sequence[Entry]) -> Entry:
    first = alike[0]
    if all(entry == first for entry in alike):
        return first
    lines = [
        _keep_common_lines([entry.differences[index].lines for entry in alike])
        for index in range(len(first.differences))
    ]
    return _replace_differences(_drop_digests(first), lines)


def _keep_common_lines(texts: Sequence[Sequence[str]]) -> list[str]:
    first = texts[0]
    if any(len(text) != len(first) for text in texts):
        return [_drop_numbers(line) for line in first if line[:1] != " "]
    return [
        lines[0] if len(set(lines)) == 1 else _VARIES if lines[0][:1] == " " else "@@"
        for lines in zip(*texts, strict=True)
    ]


def _replace_differences(entry: Entry, lines: Sequence[Sequence[str]]) -> Entry:
    differences = tuple(
        Difference(of=difference.of, lines=tuple(new))
        for difference, new in zip(entry.differences, lines, strict=True)
    )
    return entry.model_copy(update={"differences": differences})
