"""Generates docs/reference/changelog.md: CHANGELOG.md for the site and `flowflare docs`."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: For people who add a change, not for those who read the changes of a release.
CONTRIBUTING = re.compile(r" \[CONTRIBUTING\.md\]\([^)]*\)[^\n]*|<!--[^\n]*-->\n\n?")


def changelog_page() -> str:
    """Return the Markdown text of the page, without what only contributors need."""
    return CONTRIBUTING.sub("", (ROOT / "CHANGELOG.md").read_text("utf-8"))
