"""Render a report as Markdown for the comment on a pull request. It begins with the risk."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from flowflare.kinds.assessment import RISKS
from flowflare.review.facts import (
    Danger,
    count_each_operation,
    list_dangers,
    name_risk,
    write_calls,
    write_headline,
    write_stacks,
)
from flowflare.review.folding import Fold, describe_folds, fit, list_folds
from flowflare.review.markdown_escapes import prose, span
from flowflare.review.markdown_sections import SectionText, list_names
from flowflare.review.report import PolicyFinding, Report, ReportedCommit, estimate_seconds
from flowflare.review.report_text import write_duration
from flowflare.review.words import KINDS, RISK_WORDS

_ALERTS: Final = {
    "loses-data": "CAUTION",
    "unknown": "CAUTION",
    "changes-replays": "WARNING",
    "restarts": "WARNING",
}
_MOST_SENTENCES: Final = 10
_MOST_POLICIES: Final = 30
_MOST_NOTES: Final = 20
_MOST_UNCHANGED: Final = 20


def render(report: Report, *, max_size: int | None = None) -> str:
    """Render the comment.

    Nothing from the report becomes HTML, a link, an image or a mention.

    Args:
        max_size: the limit in bytes of UTF-8. The text says what was omitted to fit. The shortest
            text, a headline and totals, has about 600 bytes and is returned even if it is too long.

    Returns:
        Markdown for GitHub and GitLab, with a line feed at its end.
    """
    page = _Page(report)
    if max_size is None:
        return page.write(frozenset())
    return fit(list_folds(report), page.write, max_size)


class _Page:
    """Writes a report without the folded parts."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._sections = [SectionText(*numbered) for numbered in enumerate(report.sections)]
        self._dangers = {risk: list_dangers(report, risk) for risk in _ALERTS}

    def write(self, left_out: frozenset[Fold]) -> str:
        """Write the whole text."""
        lines = [*self._head(), *self._notes(), *self._warnings(left_out), *self._table(left_out)]
        lines += self._policy(left_out)
        for section in self._sections:
            lines += section.lines(left_out)
        lines += [*self._write_unchanged(), *_write_folded(left_out)]
        return "\n".join(lines) + "\n"

    def _head(self) -> Iterator[str]:
        report = self._report
        yield f"## {write_headline(report)} in {span(report.project)}"
        yield ""
        base = _write_commit(report.base) if report.base else "the stacks' state"
        yield f"From {base} to {_write_commit(report.head)}."
        parts = []
        if report.sections:
            parts = [
                write_calls(report.api_calls),
                f"about {write_duration(report.seconds)} for `up`",
            ]
        if report.counts.not_recorded:
            parts.append(f"{write_stacks(report.counts.not_recorded)} not compared")
        if report.counts.refused:
            parts.append(f"**`up` would refuse {report.counts.refused:,}**")
        if parts:
            yield f"{'; '.join(parts)}."

    def _notes(self) -> Iterator[str]:
        notes = self._report.notes
        if notes:
            yield ""
        yield from (f"- Note: {prose(note.text)}" for note in notes[:_MOST_NOTES])
        if len(notes) > _MOST_NOTES:
            yield f"- and {len(notes) - _MOST_NOTES:,} more notes"

    def _warnings(self, left_out: Collection[Fold]) -> Iterator[str]:
        for risk in RISKS:
            found = self._dangers.get(risk, ())
            if not found:
                continue
            kept = [
                danger
                for at, danger in enumerate(found[:_MOST_SENTENCES])
                if Fold("danger", at, 0, risk) not in left_out
            ]
            yield from ("", f"> [!{_ALERTS[risk]}]", f"> **{RISK_WORDS[risk]}**", ">")
            yield from (f"> - {self._danger(danger)}" for danger in kept)
            more = len(found) - len(kept)
            if more:
                others = "stacks or resources" if risk == "unknown" else "resources"
                yield f"> - {'and ' if kept else ''}{more:,} {'more' if kept else others}"

    def _danger(self, danger: Danger) -> str:
        where = list_names(self._report.sections[danger.section - 1].stacks)
        operation, name = danger.subject
        subject = f"{operation} {span(name)}. " if name else ""
        return f"{where}: {subject}{prose(danger.text)}"

    def _table(self, left_out: Collection[Fold]) -> Iterator[str]:
        sections = self._report.sections
        if not sections:
            return
        yield ""
        yield "| | Stacks | Create | Update | Replace | Delete | Risk | API calls | Time |"
        yield "|--:|---|--:|--:|--:|--:|---|--:|--:|"
        hidden = 0
        for number, section in enumerate(sections):
            if Fold("row", number) in left_out:
                hidden += len(section.stacks)
                continue
            kind = f" ({KINDS[section.kind]})" if KINDS[section.kind] else ""
            sent = section.api_calls * len(section.stacks)
            time = write_duration(estimate_seconds(sent, len(section.stacks) if sent else 0))
            is_bold = section.risk in ("loses-data", "unknown")
            risk = f"**{name_risk(section)}**" if is_bold else name_risk(section)
            numbers = " | ".join(
                str(count) if count else "" for count in count_each_operation(section)
            )
            yield (
                f"| {number + 1} | {list_names(section.stacks)}{kind} | {numbers} | {risk} "
                f"| {sent:,} | {time} |"
            )
        if hidden:
            yield f"| | and {write_stacks(hidden)} more | | | | | | | |"

    def _policy(self, left_out: Collection[Fold]) -> Iterator[str]:
        found = self._report.policy
        if not found:
            return
        errors = sum(finding.severity == "error" for finding in found)
        yield from ("", f"**Policies:** {_count_findings(errors, len(found) - errors)}", "")
        if Fold("policy") in left_out:
            return
        ordered = sorted(found, key=lambda finding: finding.severity != "error")
        yield from (f"- {_write_finding(finding)}" for finding in ordered[:_MOST_POLICIES])
        if len(found) > _MOST_POLICIES:
            yield f"- and {len(found) - _MOST_POLICIES:,} more"

    def _write_unchanged(self) -> Iterator[str]:
        found: Sequence[str] = self._report.unchanged
        if found:
            listed = ", ".join(span(name) for name in found[:_MOST_UNCHANGED])
            more = len(found) - _MOST_UNCHANGED
            rest = f" and {more:,} more" if more > 0 else ""
            yield from ("", f"Nothing changes in {write_stacks(len(found))}: {listed}{rest}.")


def _write_commit(commit: ReportedCommit) -> str:
    if not commit.sha:
        return span(commit.name)  # files that are in no commit
    return f"{span(commit.name)} ({span(commit.sha[:12])} {span(commit.subject, most=80)})"


def _count_findings(errors: int, warnings: int) -> str:
    parts = []
    if errors:
        parts.append("1 error" if errors == 1 else f"{errors:,} errors")
    if warnings:
        parts.append("1 warning" if warnings == 1 else f"{warnings:,} warnings")
    return ", ".join(parts)


def _write_finding(found: PolicyFinding) -> str:
    resource = f" {span(found.resource)}" if found.resource else ""
    remedy = f" {prose(found.remedy)}" if found.remedy else ""
    severity = f"**{found.severity}**" if found.severity == "error" else found.severity
    where = list_names(found.stacks)
    return f"{severity} {span(found.rule)}{resource} in {where}: {prose(found.message)}{remedy}"


def _write_folded(left_out: Collection[Fold]) -> Iterator[str]:
    if left_out:
        yield ""
        yield (
            f"Folded to keep this short: {describe_folds(left_out)}. The whole report is an "
            "artifact of this run; `flowflare diff` prints it too."
        )
