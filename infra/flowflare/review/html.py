"""Render a report as one self-contained HTML page, without scripts, fonts or images."""

from functools import lru_cache
from typing import Final

import jinja2

from flowflare import library
from flowflare.kinds.assessment import RISKS
from flowflare.review import facts
from flowflare.review.entries import Entry
from flowflare.review.report import Report, estimate_seconds
from flowflare.review.report_text import write_duration
from flowflare.review.sections import Section
from flowflare.review.visible import make_visible, shorten
from flowflare.review.words import KINDS, MARKS, RISK_WORDS

_TEMPLATE: Final = "report.html.j2"
_RISKS: Final = RISKS[:-1]


def render(report: Report) -> str:
    """Render the page.

    Everything from the report is text in the page: Jinja2 escapes it, control and other invisible
    characters are made visible, and the page's own policy forbids scripts.
    """
    return _environment().get_template(_TEMPLATE).render(report=report)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(library.folder("templates")),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_make_readable,
    )
    environment.globals |= {
        "KINDS": KINDS,
        "MARKS": MARKS,
        "RISKS": _RISKS,
        "RISK_WORDS": RISK_WORDS,
        "facts": facts,
        "line_kind": _classify_line,
        "parts": _split_code,
        "section_time": _estimate_time,
        "shorten": shorten,
        "worst": _group_worst_first,
    }
    environment.filters["duration"] = write_duration
    return environment


def _make_readable(value: object) -> object:
    """Make special characters of a string visible. Text that is already escaped stays as it is."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return make_visible(value, keep="\n\t")
    return value


def _split_code(text: str) -> list[str]:
    """Split a sentence at its backticks, so that every second part is code."""
    return text.split("`") if text.count("`") % 2 == 0 else [text]


def _classify_line(line: str) -> str:
    """Return the CSS class for a line of a unified diff."""
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")


def _estimate_time(section: Section) -> str:
    sent = section.api_calls * len(section.stacks)
    return write_duration(estimate_seconds(sent, len(section.stacks) if sent else 0))


def _group_worst_first(section: Section) -> list[tuple[str, list[Entry]]]:
    """Group a section's resources by risk, worst first."""
    shown = facts.select_shown(section.review) if section.review else []
    return list(facts.group_by_risk(shown).items())
