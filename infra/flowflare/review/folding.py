"""Choose what a comment omits to fit a size limit: whole parts, the least risky first."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Final, Literal, NamedTuple

from flowflare.kinds.assessment import RISKS
from flowflare.review.facts import select_shown
from flowflare.review.report import Report

FoldKind = Literal["code", "properties", "resource", "names", "policy", "section", "row", "danger"]

# Singular and plural of what was folded.
_WORDS: Final = {
    "code": ("the code of 1 resource", "the code of {:,} resources"),
    "properties": ("the properties of 1 resource", "the properties of {:,} resources"),
    "resource": ("the details of 1 resource", "the details of {:,} resources"),
    "names": ("1 list of stacks", "{:,} lists of stacks"),
    "policy": ("the policy findings", "the policy findings"),
    "section": ("the details of 1 change", "the details of {:,} changes"),
    "row": ("1 line of the table", "{:,} lines of the table"),
    "danger": ("1 sentence at the top", "{:,} sentences at the top"),
}


class Fold(NamedTuple):
    """One part of a comment that can be omitted.

    Attributes:
        section: the number of its section, from 0; for a `danger`, its index within its risk.
        entry: the number of its resource among those shown, from 0.
        risk: for a `danger`, the risk.
    """

    kind: FoldKind
    section: int = 0
    entry: int = 0
    risk: str = ""


def list_folds(report: Report) -> list[Fold]:
    """List everything that can be omitted, in the order in which it is omitted."""
    found: list[Fold] = []
    for risk in reversed(RISKS):
        found += _fold_entries(report, "code", risk)
        if risk == "safe":
            found += [
                Fold("names", number)
                for number in _count_down(len(report.sections))
                if len(report.sections[number].stacks) > 1
            ]
        found += _fold_entries(report, "properties", risk)
        found += _fold_entries(report, "resource", risk)
    found += [Fold("policy")] if report.policy else []
    found += [Fold("section", number) for number in _count_down(len(report.sections))]
    found += [*_fold_dangers("restarts"), *_fold_dangers("changes-replays")]
    found += [Fold("row", number) for number in _count_down(len(report.sections))]
    return [*found, *_fold_dangers("unknown"), *_fold_dangers("loses-data")]


_MOST_SENTENCES: Final = 10


def _fold_dangers(risk: str) -> list[Fold]:
    return [Fold("danger", at, 0, risk) for at in _count_down(_MOST_SENTENCES)]


def _count_down(count: int) -> range:
    return range(count - 1, -1, -1)


def _fold_entries(report: Report, kind: FoldKind, risk: str) -> list[Fold]:
    return [
        Fold(kind, number, at)
        for number in _count_down(len(report.sections))
        if (review := report.sections[number].review) is not None
        for at, entry in reversed(list(enumerate(select_shown(review))))
        if entry.risk == risk and (kind != "code" or entry.differences)
    ]


def fit(found: Collection[Fold], write: Callable[[frozenset[Fold]], str], max_size: int) -> str:
    """Return the longest text that fits, or the shortest text if none fits.

    Args:
        found: what can be omitted, in the order in which it is omitted.
        write: writes the text without the given parts.
        max_size: the limit in bytes of UTF-8, which is at least the number of characters.
    """
    ordered = list(found)
    few, many = 0, len(ordered)
    text = write(frozenset())
    if len(text.encode()) <= max_size:
        return text
    while few < many:
        middle = (few + many) // 2
        if len(write(frozenset(ordered[:middle])).encode()) <= max_size:
            many = middle
        else:
            few = middle + 1
    return write(frozenset(ordered[:many]))


def describe_folds(left_out: Collection[Fold]) -> str:
    """Describe what was omitted."""
    counts = Counter(fold.kind for fold in left_out)
    return ", ".join(
        _WORDS[kind][0] if count == 1 else _WORDS[kind][1].format(count)
        for kind, count in counts.items()
    )
