"""Compare a text with its expected file; FLOWFLARE_REWRITE_GOLDEN=1 writes the file."""

import os
from pathlib import Path


def compare(path: Path, text: str) -> None:
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()
