"""Everything from a report is text on its page."""

from html.parser import HTMLParser

from flowflare.review import html
from flowflare.review.report import Note, ReportedCommit, make_report

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">\u202e&lt;b&gt;'
LOADING = {"a", "link", "meta", "style", "script", "img", "iframe", "form", "base", "object"}


class Elements(HTMLParser):
    """Collects what could load or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LOADING:
            self.found.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_hostile_words_are_shown_as_text() -> None:
    commit = ReportedCommit(name=HOSTILE, sha="1" * 40, subject=HOSTILE)
    note = Note(kind="other", text=HOSTILE)
    page = html.render(make_report(HOSTILE, commit, commit, [], [HOSTILE], notes=[note]))
    elements = Elements()
    elements.feed(page)
    assert set(elements.found) == {"meta", "style"}
    assert elements.handlers == []
    assert "\u202e" not in page
    assert "default-src 'none'" in page
