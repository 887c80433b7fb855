"""Where text goes: data to standard output, everything said about the work to standard error."""

import contextlib
import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flowflare.cli.answer_stream import answer_stream

if TYPE_CHECKING:
    from flowflare.review.text import Line


@cache
def messages() -> Console:
    """The console for progress, results meant for people's eyes, and errors."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


@cache
def answers() -> Console:
    """The console for what the command was asked for; colours only on a terminal."""
    return Console(soft_wrap=True, highlight=False)


def command() -> str:
    """How this command is called here, for a shell: its name where PATH finds it, else its path."""
    own = Path(sys.argv[0])
    found = shutil.which("flowflare")
    if own.name != "flowflare" or (found and own.exists() and Path(found).samefile(own)):
        return "flowflare"
    with contextlib.suppress(ValueError):
        return quote(str(own.absolute().relative_to(Path.cwd())))
    return quote(str(own))


def print_lines(lines: "Iterable[Line]", styles: Mapping[str, str]) -> None:
    """Writes lines to standard output, each in the colours that its style has."""
    for line in lines:
        answers().print(line.text, style=styles.get(line.style, ""), markup=False)


def print_json(document: Any) -> None:
    """Write a document as indented JSON to standard output, keys in the order given."""
    print_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_text(text: str) -> None:
    """Write a text that another program reads to standard output, as it is."""
    stream = answer_stream()
    stream.write(text)
    stream.flush()
