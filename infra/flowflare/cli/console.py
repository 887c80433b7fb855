"""Where text goes: results to standard output, messages about the work to standard error."""

import contextlib
import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType

from flowflare.cli.answer_stream import open_answer_stream

if TYPE_CHECKING:
    from flowflare.review.text import Line


@cache
def open_stderr() -> Console:
    """Return the console for progress, notes and errors."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


@cache
def open_stdout() -> Console:
    """Return the console for a command's result; colours only on a terminal."""
    return Console(soft_wrap=True, highlight=False)


def quote_program() -> str:
    """Return how to call this program from a shell: its name if PATH finds it, else its path."""
    own = Path(sys.argv[0])
    found = shutil.which("flowflare")
    if own.name != "flowflare" or (found and own.exists() and Path(found).samefile(own)):
        return "flowflare"
    with contextlib.suppress(ValueError):
        return quote(str(own.absolute().relative_to(Path.cwd())))
    return quote(str(own))


def print_message(text: str, style: str = "") -> None:
    """Write a line about the work to standard error."""
    open_stderr().print(text, style=style, markup=False)


def print_result(content: RenderableType, style: str = "") -> None:
    """Write a line or a table of a command's result to standard output."""
    open_stdout().print(content, style=style, markup=False)


def print_lines(lines: "Iterable[Line]", styles: Mapping[str, str]) -> None:
    """Write lines to standard output, each in the colour of its style."""
    for line in lines:
        print_result(line.text, styles.get(line.style, ""))


def print_json(document: Any) -> None:
    """Write a document as indented JSON to standard output, keys in the order given."""
    print_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_text(text: str) -> None:
    """Write a string for another program to standard output, unchanged."""
    stream = open_answer_stream()
    stream.write(text)
    stream.flush()
