"""Generate docs/reference/changelog.md: CHANGELOG.md for the site and `flowflare docs`."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Text for contributors, which readers of the changelog do not need.
CONTRIBUTING = re.compile(r" \[CONTRIBUTING\.md\]\([^)]*\)[^\n]*|<!--[^\n]*-->\n\n?")


def changelog_page() -> str:
    """Return the page's Markdown text, without the text for contributors."""
    return CONTRIBUTING.sub("", (ROOT / "CHANGELOG.md").read_text("utf-8"))
