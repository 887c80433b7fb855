"""Write and read reference/emulator-conformance.md, which has one table for each story."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conformance.judge import Verdict
from tests.conformance.rows import Client, Outcome, Row, Story

PAGE = Path(__file__).parents[2] / "docs/reference/emulator-conformance.md"
_BAR = re.compile(r"(?<!\\)\|")
_HEAD = "| command or call | result | seen by |\n|---|---|---|\n"
_INTRODUCTION = """\
# What real clients do on the embedded Cloudflare

`make conformance` runs these commands and calls of unmodified clients against the emulator, and
writes this page. A command *works* if another client sees its effect. A call is *refused as
Cloudflare refuses* if it gets the code that public traces of Cloudflare show. A *named gap* is
answered with status 501 and the name of the operation. Everything else is *wrong*.

"""

#: The rows of each story's table, as text, by the story's heading.
Tables = Mapping[str, Sequence[str]]


def heading_of(story: Story) -> str:
    """Return the heading of a story's table."""
    return f"{story.client.value}: {story.title}"


def table_of(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the rows of a story's table."""
    return [_row(each) for each in verdicts]


def conformance_page(tables: Tables) -> str:
    """Return the Markdown text of the page."""
    outcomes = [each.value for each in Outcome]
    lines = [
        "| client | rows |" + "".join(f" {each} |" for each in outcomes),
        "|---" * (len(outcomes) + 2) + "|",
    ]
    for client in Client:
        headings = [each for each in tables if each.startswith(f"{client.value}: ")]
        found = [outcome for each in headings for outcome in outcomes_of(tables[each])]
        counts = "".join(f" {found.count(outcome)} |" for outcome in outcomes)
        lines.append(f"| {client.value} | {len(found)} |{counts}")
    sections = [
        f"\n## {heading}\n\n{_HEAD}" + "".join(f"{row}\n" for row in rows)
        for heading, rows in tables.items()
    ]
    return _INTRODUCTION + "\n".join(lines) + "\n" + "".join(sections)


def read_tables(page: str) -> dict[str, list[str]]:
    """Read the tables of a page."""
    _, *sections = page.split("\n## ")
    tables = {}
    for section in sections:
        heading, *lines = section.splitlines()
        tables[heading] = [line for line in lines if line.startswith("| `")]
    return tables


def outcomes_of(rows: Sequence[str]) -> list[str]:
    """Read the result of every row, without the reasons."""
    return [_BAR.split(row)[2].partition(":")[0].strip() for row in rows]


def _row(verdict: Verdict) -> str:
    ending = verdict.outcome.value
    if verdict.outcome is not Outcome.WORKS and verdict.reason:
        ending += f": {_cell(verdict.reason)}"
    return f"| {_name(verdict.row)} | {ending} | {_cell(_describe_checks(verdict.row))} |"


def _name(row: Row) -> str:
    """Return a row's words as the page shows them."""
    words = [row.words, *(f"{each}" for each in row.arguments)]
    if row.body is not None and not row.files:
        words.append(str(row.body))
    return f"`{_cell(_shorten(' '.join(words)))}`"


def _describe_checks(row: Row) -> str:
    code = [f"code {row.refused}"] if row.refused else []
    return "; ".join([*code, *(str(check) for check in row.checks)]) or "its answer"


def _shorten(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
