"""Render one section of a report as Markdown: a change, its stacks and resources, in any length."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from string import ascii_lowercase
from typing import Final

from flowflare.kinds.assessment import LintFinding
from flowflare.review.entries import Entry
from flowflare.review.facts import (
    Row,
    count_operations,
    describe_class_step,
    describe_removal,
    end_sentence,
    is_rewritten,
    list_remarks,
    list_rows,
    name_operation,
    select_shown,
    write_calls,
    write_stacks,
)
from flowflare.review.folding import Fold
from flowflare.review.markdown_escapes import code, fence, prose, span
from flowflare.review.sections import Section
from flowflare.review.words import KINDS, MARKS, RISK_WORDS, RISKS_IN_SENTENCES

#: A list with more names than this is folded.
FEW_NAMES: Final = 4
_MOST_NAMES: Final = 2_000
_MOST_REFUSALS: Final = 20
_MOST_LINES_OF_ERROR: Final = 12


def list_names(found: Sequence[str], most: int = 1) -> str:
    """List stacks by name: ``a`, `b` and 996 more`."""
    if not found:
        return "every stack"
    first = found if len(found) <= FEW_NAMES else found[:most]
    listed = ", ".join(span(name) for name in first)
    more = len(found) - len(first)
    return f"{listed} and {more:,} more" if more else listed


def collapse_gaps(lines: Iterable[str]) -> list[str]:
    """Collapse consecutive empty lines, except in code."""
    kept: list[str] = []
    closing = ""
    for line in lines:
        if closing:
            closing = "" if line == closing else closing
        elif line.startswith("```"):
            closing = line.rstrip(ascii_lowercase)
        elif not line and kept and not kept[-1]:
            continue
        kept.append(line)
    return kept


class SectionText:
    """Writes one section, shorter if parts are folded.

    Args:
        number: the section's number, from 0.
    """

    def __init__(self, number: int, section: Section) -> None:
        self._number = number
        self._section = section
        self._entries = select_shown(section.review) if section.review else []
        self._written: dict[tuple[int, bool, bool], list[str]] = {}

    def lines(self, left_out: Collection[Fold]) -> list[str]:
        """Return the section's lines; none if the whole section is folded."""
        if Fold("section", self._number) in left_out:
            return []
        is_open = " open" if self._section.risk == "loses-data" else ""
        inside = (
            *self._stacks(left_out),
            *self._error(),
            *self._removal(),
            *self._values(left_out),
            *self._resources(left_out),
            *self._refusals(),
        )
        head = ("", f"<details{is_open}>", self._summary(), "")
        return collapse_gaps([*head, *inside, "", "</details>"])

    def _summary(self) -> str:
        section = self._section
        found = section.stacks
        first = found if len(found) <= FEW_NAMES else found[:1]
        listed = ", ".join(code(name) for name in first) or "every stack"
        more = f" and {len(found) - len(first):,} more" if len(found) > len(first) else ""
        risk = RISK_WORDS[section.risk] if section.is_compared else "Not compared"
        kind = f" ({KINDS[section.kind]})" if section.review and KINDS[section.kind] else ""
        parts = [f"<b>{self._number + 1}. {risk}</b>: {listed}{more}{kind}"]
        if self._entries:
            parts.append(count_operations(self._entries))
        return f"<summary>{' &middot; '.join(parts)}</summary>"

    def _stacks(self, left_out: Collection[Fold]) -> list[str]:
        found = self._section.stacks
        if len(found) <= FEW_NAMES or Fold("names", self._number) in left_out:
            return []
        listed = "\n".join(", ".join(span(name) for name in found[:_MOST_NAMES]).splitlines())
        more = len(found) - _MOST_NAMES
        rest = f" and {more:,} more" if more > 0 else ""
        summary = f"<summary>The same in {write_stacks(len(found))}</summary>"
        return ["<details>", summary, "", listed + rest, "", "</details>", ""]

    def _removal(self) -> Iterator[str]:
        sentences = describe_removal(self._section)
        yield from (f"- {prose(sentence)}" for sentence in sentences)
        if sentences:
            yield ""

    def _values(self, left_out: Collection[Fold]) -> Iterator[str]:
        rows = self._section.values
        if not rows or Fold("names", self._number) in left_out:
            return
        names = list(dict.fromkeys(name for row in rows for name in row.values))
        yield from ("", "**What differs between them**", "")
        yield f"| Stack | {' | '.join(map(span, names))} |"
        yield f"|---|{'---|' * len(names)}"
        for row in rows[:_MOST_NAMES]:
            cells = (span(row.values[name]) if row.values.get(name) else "" for name in names)
            yield f"| {span(row.stack)} | {' | '.join(cells)} |"
        if len(rows) > _MOST_NAMES:
            yield f"| and {len(rows) - _MOST_NAMES:,} more |{' |' * len(names)}"

    def _error(self) -> list[str]:
        doubts = [
            f"- **{RISK_WORDS['unknown']}:** {prose(doubt)}" for doubt in self._section.doubts
        ]
        found = [*doubts, ""] if doubts else []
        error = self._section.error
        if not error:
            return found
        which = "head" if self._section.review is None else "base"
        text = fence(_limit_lines(error), "text")
        return [*found, f"The {which} could not be recorded:", "", *text, ""]

    def _resources(self, left_out: Collection[Fold]) -> Iterator[str]:
        hidden: list[Entry] = []
        risk = ""
        for at, entry in enumerate(self._entries):
            if Fold("resource", self._number, at) in left_out:
                hidden.append(entry)
                continue
            if entry.risk != risk:
                risk = entry.risk
                yield from ("", f"**{RISK_WORDS[risk]}**", "")
            yield from self._entry(at, entry, left_out)
        if hidden:
            of_risks = Counter(entry.risk for entry in hidden)
            said = ", ".join(
                f"{count:,} {RISKS_IN_SENTENCES[name]}" for name, count in of_risks.items()
            )
            yield from ("", f"Folded: {count_operations(hidden)} ({said}).")

    def _entry(self, at: int, entry: Entry, left_out: Collection[Fold]) -> list[str]:
        plain = Fold("properties", self._number, at) in left_out
        without_code = Fold("code", self._number, at) in left_out
        key = (at, plain, without_code)
        if key not in self._written:
            self._written[key] = list(_write_entry(entry, plain=plain, without_code=without_code))
        return self._written[key]

    def _refusals(self) -> Iterator[str]:
        review = self._section.review
        found = (
            [refusal for refusal in review.refusals if refusal.kind != "skipped"] if review else []
        )
        if not review or not found:
            return
        yield from ("", "**`up` would refuse**", "")
        for refusal in found[:_MOST_REFUSALS]:
            first, *rest = refusal.reason.splitlines() or [""]
            yield f"- {span(refusal.name)}: {prose(first)}"
            yield from (
                f"  - {prose(line)}" for line in rest[:_MOST_LINES_OF_ERROR] if line.strip()
            )
        more = len(found) - _MOST_REFUSALS
        waiting = sum(refusal.kind == "skipped" for refusal in review.refusals)
        if more > 0:
            yield f"- and {more:,} more"
        if waiting:
            yield f"- {waiting:,} more would stay unchanged, because they depend on these"


def _limit_lines(text: str) -> list[str]:
    found = text.splitlines()
    more = len(found) - _MOST_LINES_OF_ERROR
    return [*found[:_MOST_LINES_OF_ERROR], *([f"... {more:,} more lines"] if more > 0 else [])]


def _write_entry(entry: Entry, *, plain: bool, without_code: bool) -> Iterator[str]:
    beside = "".join(f" &middot; {prose(remark)}" for remark in list_remarks(entry))
    calls_of = f" &middot; {write_calls(entry.api_calls)}" if entry.api_calls else ""
    # GitHub reads a tilde next to asterisks as the start of strikethrough and shows both.
    mark = MARKS[entry.op].strip().replace("~", "\\~")
    yield (
        f"- **{f'{mark} ' if mark else ''}{name_operation(entry)}** {span(entry.name)} "
        f"{prose(entry.kind)}{beside}{calls_of}"
    )
    for reason in entry.reasons:
        word = "" if reason.risk == "safe" else f"**{RISK_WORDS[reason.risk]}:** "
        yield f"  - {word}{prose(reason.text)}"
    for step in entry.class_migrations:
        yield f"  - class migration {span(step.tag)}: {prose(describe_class_step(step))}"
    for file in entry.migrations:
        yield f"  - runs {span(file.name)}, {file.bytes:,} bytes"
        yield from (f"    - {_write_finding(found)}" for found in file.findings)
    changed_rows = [] if plain else [line for row in list_rows(entry) for line in _write_row(row)]
    if changed_rows:
        yield from ("", *fence(changed_rows, "diff"), "")
    if plain or without_code:
        yield from _note_folded(entry, plain=plain)
        return
    for difference in entry.differences:
        yield from ("", f"In {span(difference.of)}:", "", *fence(difference.lines, "diff"), "")


def _note_folded(entry: Entry, *, plain: bool) -> Iterator[str]:
    parts = []
    if plain and (count := len(list_rows(entry))):
        parts.append("1 property" if count == 1 else f"{count:,} properties")
    if entry.differences:
        lines = sum(len(difference.lines) for difference in entry.differences)
        parts.append(f"{lines:,} lines of code")
    if parts:
        yield f"  - folded: {', '.join(parts)}"


def _write_finding(found: LintFinding) -> str:
    message = prose(end_sentence(found.message))
    said = f"line {found.line}: {found.severity} {span(found.rule)}: {message}"
    said = f"{said} {prose(found.remedy)}" if found.remedy else said
    return f"{said} (accepted: {prose(found.accepted)})" if found.accepted else said


def _write_row(row: Row) -> Iterator[str]:
    remark = f"  ({row.remark})" if row.remark else ""
    if is_rewritten(row):
        yield f"! {row.what}: rewritten{remark}"
        return
    if row.old is not None:
        yield from _write_value("-", row.what, row.old, "" if row.new is not None else remark)
    if row.new is not None:
        yield from _write_value("+", row.what, row.new, remark)


def _write_value(sign: str, what: str, value: str, remark: str) -> Iterator[str]:
    yield f"{sign} {what}: {value}{remark}".replace("\n", "\u240a").replace("\r", "\u240d")
