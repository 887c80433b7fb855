"""The page that compares comments: its samples are the golden reports without heading and table."""

import os
import re
from pathlib import Path

import pytest

from tests.golden.reports.kinds import KINDS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/review-comparison.md"
EXPECTED = ROOT / "tests/golden/reports/expected"
OURS = re.compile(
    r"^(`{3,})markdown\n<!-- ours: (\w+)( head)? -->\n.*?^\1$", re.MULTILINE | re.DOTALL
)
# Longer blocks are cut, because they show nothing more about the form of a report.
LONGEST = 12


def update_block(block: re.Match[str]) -> str:
    """Return a block with the present golden report."""
    ticks, kind, head = block.groups()
    report = (EXPECTED / f"{kind}.md").read_text(encoding="utf-8")
    top, details = report.split("\n<details", 1)
    shown = top if head else f"{alerts(top)}{inside(details)}"
    lines = shorten(shown.strip().splitlines())
    return "\n".join([f"{ticks}markdown", block[0].split("\n")[1], *lines, ticks])


def alerts(top: str) -> str:
    """Return the alerts above the table of risks."""
    return "\n".join(line for line in top.splitlines() if line.startswith(">") or not line)


def inside(details: str) -> str:
    """Return the sections, including folded ones."""
    return f"\n\n<details{details}".partition("\nNothing changes in")[0]


def shorten(lines: list[str]) -> list[str]:
    """Shorten blocks of code and lists of resources."""
    kept: list[str] = []
    code: list[str] | None = None
    for line in lines:
        if line.startswith("```"):
            if code is not None:
                more = len(code) - LONGEST
                kept += code[:LONGEST] if more > 1 else code
                kept += [f"({more} more lines)"] if more > 1 else []
            code = [] if code is None else None
            kept.append(line)
        elif code is not None:
            code.append(line)
        elif line or not kept or kept[-1]:
            kept.append(line)
    return _resources(kept)


def _resources(lines: list[str]) -> list[str]:
    """Return the first three resources, and the number of the others."""
    starts = [at for at, line in enumerate(lines) if line.startswith("- **")]
    if len(starts) <= 4:
        return lines
    rest = [line for line in lines[starts[3] :] if line == "</details>"]
    return [*lines[: starts[3]], f"({len(starts) - 3} more resources)", "", *rest]


def test_our_samples_are_the_golden_reports() -> None:
    page = PAGE.read_text(encoding="utf-8")
    text = OURS.sub(update_block, page)
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


def test_the_page_compares_ten_changes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    kinds = [kind for _, kind, head in OURS.findall(page) if not head]
    assert len(kinds) == len(set(kinds)) == 10
    assert set(kinds) <= KINDS.keys()


@pytest.mark.parametrize("number", range(1, 11))
def test_each_change_of_the_table_has_a_section(number: int) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (title, anchor) = re.findall(rf"^\| {number} \| \[([^]]+)\]\(#([^)]+)\)", page, re.MULTILINE)[0]
    assert f"\n## {number}. {title}\n" in page
    assert anchor == re.sub(r"[^a-z0-9 -]", "", f"{number}. {title}".lower()).replace(" ", "-")
