"""A report as Markdown for the comment on a pull request; its risk first, in words."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from flowflare.kinds.assessment import RISKS
from flowflare.review.facts import (
    Danger,
    calls,
    dangers,
    headline,
    per_operation,
    risk_of,
    stacks,
)
from flowflare.review.folding import Fold, fitting, folds, told
from flowflare.review.markdown_escapes import prose, span
from flowflare.review.markdown_sections import SectionText, names
from flowflare.review.report import PolicyFinding, Report, ReportedCommit, rollout_seconds
from flowflare.review.report_text import duration
from flowflare.review.words import KINDS, RISK_WORDS

_ALERTS: Final = {"loses-data": "CAUTION", "unknown": "CAUTION", "restarts": "WARNING"}
_MOST_SENTENCES: Final = 10
_MOST_POLICIES: Final = 30
_MOST_NOTES: Final = 20
_MOST_UNCHANGED: Final = 20


def render(report: Report, *, max_size: int | None = None) -> str:
    """Writes the comment.

    Nothing that stands in the report acts in it: no HTML, link, image or mention comes from there.

    Args:
        report: the report.
        max_size: bytes of UTF-8 that the text may have. What is left out for it is said; the
            shortest text, a headline and sums, has about 600 bytes and comes whatever the size.

    Returns:
        Markdown as GitHub and GitLab read it, with a line feed at its end.
    """
    page = _Page(report)
    if max_size is None:
        return page.write(frozenset())
    return fitting(folds(report), page.write, max_size)


class _Page:
    """Writes a report without what is left out of it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._sections = [SectionText(*one) for one in enumerate(report.sections)]
        self._dangers = {risk: dangers(report, risk) for risk in _ALERTS}

    def write(self, left_out: frozenset[Fold]) -> str:
        """The whole text."""
        lines = [*self._head(), *self._notes(), *self._warnings(left_out), *self._table(left_out)]
        lines += self._policy(left_out)
        for section in self._sections:
            lines += section.lines(left_out)
        lines += [*self._unchanged(), *_folded(left_out)]
        return "\n".join(lines) + "\n"

    def _head(self) -> Iterator[str]:
        report = self._report
        yield f"## {headline(report)} in {span(report.project)}"
        yield ""
        base = _commit(report.base) if report.base else "the stacks' state"
        yield f"From {base} to {_commit(report.head)}."
        parts = []
        if report.sections:
            parts = [calls(report.api_calls), f"about {duration(report.seconds)} for `up`"]
        if report.counts.not_recorded:
            parts.append(f"{stacks(report.counts.not_recorded)} not compared")
        if report.counts.refused:
            parts.append(f"**`up` would refuse {report.counts.refused:,}**")
        if parts:
            yield f"{'; '.join(parts)}."

    def _notes(self) -> Iterator[str]:
        notes = self._report.notes
        if notes:
            yield ""
        yield from (f"- Note: {prose(one.text)}" for one in notes[:_MOST_NOTES])
        if len(notes) > _MOST_NOTES:
            yield f"- and {len(notes) - _MOST_NOTES:,} more notes"

    def _warnings(self, left_out: Collection[Fold]) -> Iterator[str]:
        for risk in RISKS:
            found = self._dangers.get(risk, ())
            if not found:
                continue
            kept = [
                one
                for at, one in enumerate(found[:_MOST_SENTENCES])
                if Fold("danger", at, 0, risk) not in left_out
            ]
            yield from ("", f"> [!{_ALERTS[risk]}]", f"> **{RISK_WORDS[risk]}**", ">")
            yield from (f"> - {self._danger(one)}" for one in kept)
            more = len(found) - len(kept)
            if more:
                others = "stacks or resources" if risk == "unknown" else "resources"
                yield f"> - {'and ' if kept else ''}{more:,} {'more' if kept else others}"

    def _danger(self, one: Danger) -> str:
        where = names(self._report.sections[one.section - 1].stacks)
        operation, name = one.subject
        subject = f"{operation} {span(name)}. " if name else ""
        return f"{where}: {subject}{prose(one.text)}"

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
            time = duration(rollout_seconds(sent, len(section.stacks) if sent else 0))
            is_bold = section.risk in ("loses-data", "unknown")
            risk = f"**{risk_of(section)}**" if is_bold else risk_of(section)
            numbers = " | ".join(str(count) if count else "" for count in per_operation(section))
            yield (
                f"| {number + 1} | {names(section.stacks)}{kind} | {numbers} | {risk} "
                f"| {sent:,} | {time} |"
            )
        if hidden:
            yield f"| | and {stacks(hidden)} more | | | | | | | |"

    def _policy(self, left_out: Collection[Fold]) -> Iterator[str]:
        found = self._report.policy
        if not found:
            return
        errors = sum(one.severity == "error" for one in found)
        yield from ("", f"**Policies:** {_findings(errors, len(found) - errors)}", "")
        if Fold("policy") in left_out:
            return
        ordered = sorted(found, key=lambda one: one.severity != "error")
        yield from (f"- {_finding(one)}" for one in ordered[:_MOST_POLICIES])
        if len(found) > _MOST_POLICIES:
            yield f"- and {len(found) - _MOST_POLICIES:,} more"

    def _unchanged(self) -> Iterator[str]:
        found: Sequence[str] = self._report.unchanged
        if found:
            listed = ", ".join(span(name) for name in found[:_MOST_UNCHANGED])
            more = len(found) - _MOST_UNCHANGED
            rest = f" and {more:,} more" if more > 0 else ""
            yield from ("", f"Nothing changes in {stacks(len(found))}: {listed}{rest}.")


def _commit(commit: ReportedCommit) -> str:
    if not commit.sha:
        return span(commit.name)  # files that are in no commit
    return f"{span(commit.name)} ({span(commit.sha[:12])} {span(commit.subject, most=80)})"


def _findings(errors: int, warnings: int) -> str:
    parts = []
    if errors:
        parts.append("1 error" if errors == 1 else f"{errors:,} errors")
    if warnings:
        parts.append("1 warning" if warnings == 1 else f"{warnings:,} warnings")
    return ", ".join(parts)


def _finding(found: PolicyFinding) -> str:
    resource = f" {span(found.resource)}" if found.resource else ""
    remedy = f" {prose(found.remedy)}" if found.remedy else ""
    severity = f"**{found.severity}**" if found.severity == "error" else found.severity
    where = names(found.stacks)
    return f"{severity} {span(found.rule)}{resource} in {where}: {prose(found.message)}{remedy}"


def _folded(left_out: Collection[Fold]) -> Iterator[str]:
    if left_out:
        yield ""
        yield (
            f"Folded to keep this short: {told(left_out)}. The whole report is an artifact of this "
            "run; `flowflare diff` prints it too."
        )
