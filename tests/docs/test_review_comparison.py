"""The page that compares comments: ours in it are the golden reports, but for heading and table."""

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
# Longer texts within one report say no more about its form.
LONGEST = 12


def written(block: re.Match[str]) -> str:
    """A block with our comment, as the golden report has it now."""
    ticks, kind, head = block.groups()
    report = (EXPECTED / f"{kind}.md").read_text(encoding="utf-8")
    top, details = report.split("\n<details", 1)
    shown = top if head else f"{alerts(top)}{inside(details)}"
    lines = shortened(shown.strip().splitlines())
    return "\n".join([f"{ticks}markdown", block[0].split("\n")[1], *lines, ticks])


def alerts(top: str) -> str:
    """What stands above the table about risks."""
    return "\n".join(line for line in top.splitlines() if line.startswith(">") or not line)


def inside(details: str) -> str:
    """The sections, folds included."""
    return f"\n\n<details{details}".partition("\nNothing changes in")[0]


def shortened(lines: list[str]) -> list[str]:
    """The lines with no more than so many of one block of code, and of what is created alike."""
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
    """The first three resources, and how many more there are."""
    starts = [at for at, line in enumerate(lines) if line.startswith("- **")]
    if len(starts) <= 4:
        return lines
    rest = [line for line in lines[starts[3] :] if line == "</details>"]
    return [*lines[: starts[3]], f"({len(starts) - 3} more resources)", "", *rest]


def test_ours_are_the_golden_reports() -> None:
    page = PAGE.read_text(encoding="utf-8")
    text = OURS.sub(written, page)
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


def test_it_compares_ten_changes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    kinds = [kind for _, kind, head in OURS.findall(page) if not head]
    assert len(kinds) == len(set(kinds)) == 10
    assert set(kinds) <= KINDS.keys()


@pytest.mark.parametrize("number", range(1, 11))
def test_each_change_of_the_table_has_its_section(number: int) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (title, anchor) = re.findall(rf"^\| {number} \| \[([^]]+)\]\(#([^)]+)\)", page, re.MULTILINE)[0]
    assert f"\n## {number}. {title}\n" in page
    assert anchor == re.sub(r"[^a-z0-9 -]", "", f"{number}. {title}".lower()).replace(" ", "-")
