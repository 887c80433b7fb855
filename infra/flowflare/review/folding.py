"""Decides what a comment leaves out to stay within a size: whole things, the least risky first."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Final, Literal, NamedTuple

from flowflare.kinds.assessment import RISKS
from flowflare.review.facts import shown
from flowflare.review.report import Report

Kind = Literal["code", "properties", "resource", "names", "policy", "section", "row", "danger"]

# One and many of what was folded.
_WORDS: Final = {
    "code": ("the code of 1 resource", "the code of {:,} resources"),
    "properties": ("the properties of 1 resource", "the properties of {:,} resources"),
    "resource": ("1 resource to a count", "{:,} resources to counts"),
    "names": ("1 list of stacks", "{:,} lists of stacks"),
    "policy": ("the policies' findings to counts", "the policies' findings to counts"),
    "section": ("the details of 1 change", "the details of {:,} changes"),
    "row": ("1 line of the table", "{:,} lines of the table"),
    "danger": ("1 sentence on top", "{:,} sentences on top"),
}


class Fold(NamedTuple):
    """One thing that is left out.

    Attributes:
        kind: what it is.
        section: the number of its section, from 0; of a `danger`, its place among its risk's.
        entry: the number of its resource among those shown, from 0.
        risk: of a `danger`, the risk.
    """

    kind: Kind
    section: int = 0
    entry: int = 0
    risk: str = ""


def folds(report: Report) -> list[Fold]:
    """Everything that could be left out, in the order in which it goes."""
    found: list[Fold] = []
    for risk in reversed(RISKS):
        found += _of_entries(report, "code", risk)
        if risk == "safe":
            found += [
                Fold("names", number)
                for number in _backwards(len(report.sections))
                if len(report.sections[number].stacks) > 1
            ]
        found += _of_entries(report, "properties", risk)
        found += _of_entries(report, "resource", risk)
    found += [Fold("policy")] if report.policy else []
    found += [Fold("section", number) for number in _backwards(len(report.sections))]
    found += _dangers("restarts")
    found += [Fold("row", number) for number in _backwards(len(report.sections))]
    return [*found, *_dangers("unknown"), *_dangers("loses-data")]


_MOST_SENTENCES: Final = 10


def _dangers(risk: str) -> list[Fold]:
    return [Fold("danger", at, 0, risk) for at in _backwards(_MOST_SENTENCES)]


def _backwards(count: int) -> range:
    return range(count - 1, -1, -1)


def _of_entries(report: Report, kind: Kind, risk: str) -> list[Fold]:
    return [
        Fold(kind, number, at)
        for number in _backwards(len(report.sections))
        if (review := report.sections[number].review) is not None
        for at, entry in reversed(list(enumerate(shown(review))))
        if entry.risk == risk and (kind != "code" or entry.differences)
    ]


def fitting(found: Collection[Fold], write: Callable[[frozenset[Fold]], str], max_size: int) -> str:
    """The longest text that fits, or the shortest there is.

    Args:
        found: what could be left out, in the order in which it goes.
        write: writes the text without what it is given.
        max_size: bytes of UTF-8, of which no text has fewer than characters.
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


def told(left_out: Collection[Fold]) -> str:
    """What was left out, in words."""
    counts = Counter(one.kind for one in left_out)
    return ", ".join(
        _WORDS[kind][0] if count == 1 else _WORDS[kind][1].format(count)
        for kind, count in counts.items()
    )
