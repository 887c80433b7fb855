"""Generate docs/explanation/architecture.md: ARCHITECTURE.md with links that work in the site."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def architecture_page() -> str:
    """Return the page's Markdown text; links into `docs` become relative, others become text."""
    return LINK.sub(_move, (ROOT / "ARCHITECTURE.md").read_text("utf-8"))


def _move(link: re.Match[str]) -> str:
    words, target = link.groups()
    if target.startswith("docs/"):
        inside = target.removeprefix("docs/")
        moved = inside.removeprefix("explanation/") if "explanation/" in inside else f"../{inside}"
        return f"[{words}]({moved})"
    return link.group(0) if "://" in target or target.startswith("#") else words
