"""Every row of docs/reference/emulator-conformance.md ends as the page says."""

from pathlib import Path

import pytest

from flowflare.emulator.process import Running
from tests.conformance.judge import Verdict
from tests.conformance.page import (
    PAGE,
    conformance_page,
    heading_of,
    outcomes_of,
    read_tables,
    table_of,
)
from tests.conformance.rows import Client, Outcome, Story, works
from tests.conformance.run import CLIENTS, run_story
from tests.conformance.stories import STORIES

pytestmark = pytest.mark.workerd

#: Clients that `make clients` installs.
EXTRA = {Client.WRANGLER_4_20, Client.WRANGLER_3, Client.TYPESCRIPT}
CASES = [
    pytest.param(story, id=heading_of(story), marks=() if story.quick else pytest.mark.long)
    for story in STORIES
]


@pytest.mark.parametrize("story", CASES)
def test_a_story_ends_as_the_page_says(story: Story, cloud: Running, tmp_path: Path) -> None:
    if story.client in EXTRA and not CLIENTS.exists():
        pytest.skip("these clients are not installed: make clients")
    verdicts = list(run_story(story, cloud, tmp_path / "story"))
    found = [verdict.outcome.value for verdict in verdicts]
    written = outcomes_of(read_tables(PAGE.read_text("utf-8"))[heading_of(story)])
    assert found == written, [(each.row.words, each.outcome, each.reason) for each in verdicts]


def test_titles_differ() -> None:
    assert len({heading_of(story) for story in STORIES}) == len(STORIES)


def test_results_are_read_from_the_page_as_they_were_written() -> None:
    rows = (works("d1 list"), works("r2 | list"), works("ai"))
    story = Story("t", Client.WRANGLER, rows)
    outcomes = (Outcome.WORKS, Outcome.WRONG, Outcome.GAP)
    verdicts = [Verdict(row, each, "a | b: c") for row, each in zip(rows, outcomes, strict=True)]
    page = conformance_page({heading_of(story): table_of(verdicts)})
    tables = read_tables(page)
    assert outcomes_of(tables[heading_of(story)]) == [each.value for each in outcomes]
    assert conformance_page(tables) == page
    assert "| 3 | 1 | 0 | 1 | 0 | 1 |" in page
