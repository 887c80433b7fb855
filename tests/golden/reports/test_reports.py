"""What a reviewer reads of each kind of change: text and Markdown, kept beside the kinds."""

import os
import re
from pathlib import Path

import pytest

from flowflare.review import html, markdown
from flowflare.review.record import CommitRecording
from flowflare.review.report import Report
from flowflare.review.report_text import write_lines
from flowflare.review.text import join_lines
from tests.golden.reports.kinds import KINDS
from tests.golden.reports.recordings import compared, laid_out, record
from tests.support.tiers import keep_every

EXPECTED = Path(__file__).parent / "expected"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> CommitRecording:
    recorded = record(laid_out(tmp_path_factory.mktemp("base") / "shop", []))
    assert not recorded.error, recorded.error
    return recorded


@pytest.mark.parametrize("kind", keep_every(2, KINDS))
def test_report(kind: str, base: CommitRecording, tmp_path: Path) -> None:
    report = compared(base, record(laid_out(tmp_path / "shop", KINDS[kind])))
    matches(f"{kind}.txt", text_of(report))
    matches(f"{kind}.md", markdown.render(report))
    assert "</html>" in html.render(report)


def test_nothing(base: CommitRecording) -> None:
    report = compared(base, base)
    assert (report.exit_code, report.sections, report.unchanged) == (0, (), ("prod",))


def test_other_values_of_changed_stacks_are_one_table(tmp_path: Path) -> None:
    made = KINDS["stacks_differ"]
    changed = [
        (file, old, text.replace("Days: ", "Days: 1").replace("EUR", "GBP").replace("USD", "CAD"))
        for file, old, text in made
    ]
    before, after = (
        record(laid_out(tmp_path / name / "shop", edits))
        for name, edits in (("base", made), ("head", changed))
    )
    report = compared(before, after)
    [section] = report.sections
    assert section.stacks == ("north", "south", "west")
    matches("values_differ.txt", text_of(report))
    matches("values_differ.md", markdown.render(report))


def text_of(report: Report) -> str:
    return join_lines(write_lines(report))


def matches(name: str, text: str) -> None:
    """Compares with what is kept, but for sizes of the runtime's code."""
    text = re.sub(r"\[[\d,]+ bytes, [\d,]+ lines, sha256 \w+\]", "<text>", text)
    file = EXPECTED / name
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()
