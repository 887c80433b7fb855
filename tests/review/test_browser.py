"""The page in Chromium fits phones and desktops, and neither loads nor runs anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowflare.review import html, markdown
from tests.review.browser import Page, browsing, executable
from tests.review.hostile.readers import IN_A_PAGE, cmarkgfm
from tests.review.hostile.reports import report
from tests.review.hostile.words import WORDS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(executable() is None, reason="Chromium is not on PATH"),
]
PHONE, DESK = 360, 1280
ELEMENTS = "[...new Set([...document.querySelectorAll('*')].map((node) => node.localName))]"
HANDLERS = (
    "[...document.querySelectorAll('*')].flatMap((node) => [...node.attributes])"
    ".map((attribute) => attribute.name)"
    ".filter((name) => name.startsWith('on') || name === 'src')"
)
WIDE = "document.documentElement.scrollWidth > innerWidth"
RUNS = "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/a.png'>"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    program = executable()
    assert program is not None
    with browsing(program) as opened:
        yield opened


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Render the page of a report that contains every hostile word."""
    words = list(WORDS.values())
    counted = iter(range(1_000_000))
    file = tmp_path_factory.mktemp("page") / "hostile.html"
    made = report(lambda _: words[next(counted) % len(words)])
    file.write_text(html.render(made), encoding="utf-8")
    return file


def test_the_browser_runs_and_loads_active_content(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "acts.html"
    file.write_text(f"<!doctype html><title>still</title>{RUNS}", encoding="utf-8")
    page.requests.clear()
    page.open(file, DESK)
    assert page.value("document.title") == "run"
    assert "http://127.0.0.1:9/a.png" in page.requests


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_rich_report_fits(page: Page, tmp_path: Path, width: int) -> None:
    lines = [f"+{'wide ' * 60}", "+" + "w" * 300]
    made = report(lambda word: f"{word} {'w' * 90}" if word == "shop" else word)
    section = made.sections[0]
    assert section.review is not None
    entry = section.review.entries[0]
    wide = entry.differences[0].model_copy(update={"lines": tuple(lines)})
    first = entry.model_copy(update={"differences": (wide,)})
    review = section.review.model_copy(update={"entries": (first,)})
    section = section.model_copy(update={"review": review})
    file = tmp_path / "rich.html"
    file.write_text(html.render(made.model_copy(update={"sections": (section,)})), encoding="utf-8")
    page.open(file, width)
    assert not page.value(WIDE)
    assert page.value("document.querySelector('pre').scrollWidth") > width


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_hostile_words_neither_run_nor_load_nor_widen(
    page: Page, hostile: Path, width: int
) -> None:
    page.requests.clear()
    page.complaints.clear()
    page.open(hostile, width)
    assert not page.value(WIDE)
    assert page.requests == [hostile.as_uri()]
    assert (page.dialogs, page.complaints) == ([], [])
    assert page.value("document.title").startswith("Loses data")
    assert set(page.value(ELEMENTS)) <= IN_A_PAGE
    assert page.value(HANDLERS) == []


def test_a_comment_of_hostile_words_neither_runs_nor_loads_anything(
    page: Page, tmp_path: Path
) -> None:
    """Use GitHub's parser and a browser, without the filter that GitHub has in between."""
    words = list(WORDS.values())
    counted = iter(range(1_000_000))
    text = markdown.render(report(lambda _: words[next(counted) % len(words)]))
    unsafe = cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE
    shown = cmarkgfm.github_flavored_markdown_to_html(text, options=unsafe)
    file = tmp_path / "comment.html"
    file.write_text(f"<!doctype html><title>still</title>{shown}", encoding="utf-8")
    page.requests.clear()
    page.open(file, DESK)
    assert page.value("document.title") == "still"
    assert page.requests == [file.as_uri()]
    assert page.value(HANDLERS) == []
    assert page.value("document.querySelectorAll('a, img, script, iframe, form').length") == 0
