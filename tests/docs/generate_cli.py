"""Generate docs/reference/cli.md: the `--help` of every command."""

from collections.abc import Iterator
from typing import Any

import typer.main

from flowflare.cli.app import app

WIDTH = 80

_INTRODUCTION = """\
# Commands

This is the output of `--help`. Errors are printed on standard error, with exit code 1, or 2 for a
wrong option. With `--json`, standard output contains only JSON.

| command | |
|---|---|
"""


def cli_page() -> str:
    """Return the Markdown text of docs/reference/cli.md."""
    found = list(commands())
    rows = "".join(f"| [`{path}`](#{_anchor(path)}) | {_brief(text)} |\n" for path, text in found)
    sections = "\n".join(f"## {path}\n\n```text\n{text}\n```\n" for path, text in found)
    return f"{_INTRODUCTION}{rows}\n{sections}"


def commands() -> Iterator[tuple[str, str]]:
    """List every command's full name with its help text, beginning with the program itself."""
    for context in contexts():
        yield context.command_path, context.command.get_help(context).rstrip()


def contexts() -> Iterator[Any]:
    """List the contexts of all commands, each group before its commands."""
    yield from _below(typer.main.get_command(app), "flowflare", None)


def _below(command: Any, name: str, parent: Any) -> Iterator[Any]:
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=WIDTH, **command.context_settings
    )
    yield context
    for child, inner in getattr(command, "commands", {}).items():
        yield from _below(inner, child, context)


def _brief(help_text: str) -> str:
    """Return the first sentence below the usage."""
    paragraph = help_text.split("\n\n")[1]
    return " ".join(paragraph.split())


def _anchor(title: str) -> str:
    return title.replace(" ", "-")
