"""Generates docs/reference/cli.md: what `--help` says of every command."""

from collections.abc import Iterator
from typing import Any

import typer.main

from flowflare.cli.app import app

WIDTH = 80

_INTRODUCTION = """\
# Commands

What `--help` says. Errors go to standard error and end with exit code 1, a wrong option with 2;
what `--json` prints is alone on standard output.

| command | |
|---|---|
"""


def cli_page() -> str:
    """The Markdown text of docs/reference/cli.md."""
    found = list(commands())
    rows = "".join(f"| [`{path}`](#{_anchor(path)}) | {_brief(text)} |\n" for path, text in found)
    sections = "\n".join(f"## {path}\n\n```text\n{text}\n```\n" for path, text in found)
    return f"{_INTRODUCTION}{rows}\n{sections}"


def commands() -> Iterator[tuple[str, str]]:
    """Every command's whole name with its help text, the program itself first."""
    for context in contexts():
        yield context.command_path, context.command.get_help(context).rstrip()


def contexts() -> Iterator[Any]:
    """Every command in the place where a person meets it, groups before what is in them."""
    yield from _below(typer.main.get_command(app), "flowflare", None)


def _below(command: Any, name: str, parent: Any) -> Iterator[Any]:
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=WIDTH, **command.context_settings
    )
    yield context
    for child, inner in getattr(command, "commands", {}).items():
        yield from _below(inner, child, context)


def _brief(help_text: str) -> str:
    """The first sentence below the usage."""
    paragraph = help_text.split("\n\n")[1]
    return " ".join(paragraph.split())


def _anchor(title: str) -> str:
    return title.replace(" ", "-")
