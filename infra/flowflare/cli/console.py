"""Where text goes: data to standard output, everything said about the work to standard error."""

import json
import sys
from functools import cache
from typing import Any

from rich.console import Console


@cache
def messages() -> Console:
    """The console for progress, results meant for people's eyes, and errors."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


@cache
def answers() -> Console:
    """The console for what the command was asked for; colours only on a terminal."""
    return Console(soft_wrap=True, highlight=False)


def print_json(document: Any) -> None:
    """Writes a document as JSON to standard output, one object, keys in the order given."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()
