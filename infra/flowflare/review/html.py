"""A report as one HTML page that needs nothing else: no script, no font, no picture."""

from functools import lru_cache
from typing import Final

import jinja2

from flowflare import library
from flowflare.review import facts
from flowflare.review.entries import Entry
from flowflare.review.report import Report, rollout_seconds
from flowflare.review.report_text import duration
from flowflare.review.sections import Section
from flowflare.review.visible import shortened, visible
from flowflare.review.words import KINDS, MARKS, RISK_WORDS

_TEMPLATE: Final = "report.html.j2"
_RISKS: Final = ("loses-data", "unknown", "restarts")


def render(report: Report) -> str:
    """Writes the page.

    Everything that stands in the report is text in it: Jinja2 escapes it, characters that act
    instead of being read are made visible, and the page forbids scripts to itself.

    Args:
        report: the report.
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
        finalize=_readable,
    )
    environment.globals |= {
        "KINDS": KINDS,
        "MARKS": MARKS,
        "RISKS": _RISKS,
        "RISK_WORDS": RISK_WORDS,
        "facts": facts,
        "line_kind": _line_kind,
        "parts": _parts,
        "section_time": _section_time,
        "shortened": shortened,
        "worst": _worst,
    }
    environment.filters["duration"] = duration
    return environment


def _readable(value: object) -> object:
    """Text with whatever would act in it made visible; what is escaped already stays."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return visible(value, keep="\n\t")
    return value


def _parts(text: str) -> list[str]:
    """A sentence in parts, of which every second one is what it marks as code by backticks."""
    return text.split("`") if text.count("`") % 2 == 0 else [text]


def _line_kind(line: str) -> str:
    """The class of a line of a unified diff."""
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")


def _section_time(section: Section) -> str:
    sent = section.api_calls * len(section.stacks)
    return duration(rollout_seconds(sent, len(section.stacks) if sent else 0))


def _worst(section: Section) -> list[tuple[str, list[Entry]]]:
    """A section's resources under their risks, the worst first."""
    shown = facts.shown(section.review) if section.review else []
    return list(facts.by_risk(shown).items())
