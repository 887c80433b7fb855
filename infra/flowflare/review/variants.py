"""Fold stacks that differ in values only into one section, with a table of the values."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from flowflare.review.code import OPTIONS_TEXT
from flowflare.review.entries import Difference, Entry
from flowflare.review.facts import CODE, Row, list_rows
from flowflare.review.merging import select_common_outputs
from flowflare.review.sections import Section, StackValues

DIFFERS: Final = "[differs]"
# What is shown instead of a line that not all of the stacks have, by its sign.
_HIDDEN: Final = {"+": f"+{DIFFERS}", "-": f"-{DIFFERS}", " ": " ...", "@": "@@", ".": "..."}
_SOURCE: Final = re.compile(r"\.\w+$")


def fold_variants(sections: Iterable[Section]) -> list[Section]:
    """Fold sections of new or changed stacks whose reviews have the same resources and properties.

    Args:
        sections: the sections, in the common words of all stacks.

    Returns:
        The sections. A folded section has `values`; its review shows `[differs]` for each of them.
    """
    groups: dict[str, list[Section]] = {}
    for section in sections:
        groups.setdefault(_describe_shape(section), []).append(section)
    return [_fold(group) if len(group) > 1 else group[0] for group in groups.values()]


def _describe_shape(section: Section) -> str:
    """Return a string that is equal for reviews that differ in values and lines of code only."""
    if section.review is None:
        return f"{section.error} {section.stacks}"
    entries = [
        [
            entry.model_dump(mode="json", exclude={"urn", "changes", "differences"}),
            [[change.path, change.kind, change.waits_for] for change in entry.changes],
            [_describe_difference(difference) for difference in entry.differences],
        ]
        for entry in section.review.entries
    ]
    refusals = [refusal.model_dump(mode="json") for refusal in section.review.refusals]
    shape = [section.kind, entries, refusals, section.error, section.doubts]
    return json.dumps(shape, sort_keys=True)


def _describe_difference(difference: Difference) -> Sequence[str]:
    """Return what must be equal in a text: its name if it has values only, otherwise its lines.

    Another change to the code of a Worker, or another SQL file, is not a value.
    """
    is_source = difference.of != OPTIONS_TEXT and bool(_SOURCE.search(difference.of))
    lines = [line for line in difference.lines if line[:1] in "+-"] if is_source else []
    return [difference.of, *lines]


def _fold(group: Sequence[Section]) -> Section:
    reviews = [section.review for section in group if section.review is not None]
    aligned = list(zip(*(review.entries for review in reviews), strict=True))
    values: list[dict[str, str]] = [{} for _ in group]
    for entries in aligned:
        for found, own in zip(values, _list_differing(entries), strict=True):
            found.update(own)
    entries, outputs = tuple(map(_merge_entries, aligned)), select_common_outputs(reviews)
    merged = reviews[0].model_copy(update={"entries": entries, "outputs": outputs})
    rows = sorted(
        (
            StackValues(stack=stack, values=found)
            for section, found in zip(group, values, strict=True)
            for stack in section.stacks
        ),
        key=lambda row: row.stack,
    )
    stacks = tuple(row.stack for row in rows)
    return group[0].model_copy(update={"stacks": stacks, "review": merged, "values": tuple(rows)})


def _list_differing(entries: Sequence[Entry]) -> list[dict[str, str]]:
    """Return what only one variant of a resource has, for each variant, by a name to show."""
    shown = [
        {row.what: _write_row(row) for row in list_rows(entry)} | _map_code(entry, entries)
        for entry in entries
    ]
    names = dict.fromkeys(name for rows in shown for name in rows)
    differing = [name for name in names if len({rows.get(name, "") for rows in shown}) > 1]
    if any(difference.of in differing for difference in entries[0].differences):
        # Lines say more than a digest.
        differing = [name for name in differing if name != CODE]
    resource = entries[0].name
    return [{f"{resource}: {name}": rows.get(name, "") for name in differing} for rows in shown]


def _write_row(row: Row) -> str:
    if row.old is None:
        return row.new or ""
    return f"{row.old} -> {'removed' if row.new is None else row.new}"


def _map_code(entry: Entry, variants: Sequence[Entry]) -> dict[str, str]:
    """Return the lines of each text that not all variants of the resource have."""
    found = {}
    for at, difference in enumerate(entry.differences):
        common = _list_common([variant.differences[at] for variant in variants])
        own = [line for line in difference.lines if line not in common]
        sides = [
            " ".join(line[1:].strip() for line in own if line.startswith(sign)) for sign in "-+"
        ]
        found[difference.of] = " -> ".join(side for side in sides if side)
    return found


def _list_common(alike: Sequence[Difference]) -> frozenset[str]:
    return frozenset.intersection(*(frozenset(difference.lines) for difference in alike))


def _merge_entries(entries: Sequence[Entry]) -> Entry:
    first = entries[0]
    changes = tuple(
        change.model_copy(
            update={
                side: _merge([getattr(entry.changes[at], side) for entry in entries])
                for side in ("old", "new")
            }
        )
        for at, change in enumerate(first.changes)
    )
    differences = tuple(
        _merge_lines([entry.differences[at] for entry in entries])
        for at in range(len(first.differences))
    )
    return first.model_copy(update={"changes": changes, "differences": differences})


def _merge(values: Sequence[Any]) -> Any:
    """Return the common value; a mapping keeps what its variants have in common."""
    first = values[0]
    if all(value == first for value in values):
        return first
    if all(isinstance(value, dict) and value.keys() == first.keys() for value in values):
        return {key: _merge([value[key] for value in values]) for key in first}
    return DIFFERS


def _merge_lines(alike: Sequence[Difference]) -> Difference:
    common = _list_common(alike)
    lines: list[str] = []
    for line in alike[0].lines:
        shown = line if line in common else _HIDDEN[line[:1]]
        if shown == line or lines[-1:] != [shown]:
            lines.append(shown)
    return alike[0].model_copy(update={"lines": tuple(lines)})
