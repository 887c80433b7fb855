"""ARCHITECTURE.md and CONTRIBUTING.md name files and folders that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "infra" / "flowflare"
#: A path in backticks: words with a slash, perhaps with an ending, without a placeholder.
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
#: Files that a command makes, an example, and folders of each service.
NOT_FILES = {
    *("build/pulumi", "build/site", "build/terraform", "infra/"),
    *(".flowflare/passphrase", ".flowflare/state"),
    *("migrations/0004_refunds.sql", "services/"),
}


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_named_file_exists(page: str) -> None:
    named = set(NAMED.findall((ROOT / page).read_text("utf-8"))) - NOT_FILES
    assert len(named) > 20
    missing = [
        name for name in named if not (ROOT / name).exists() and not (PACKAGE / name).exists()
    ]
    assert missing == []
