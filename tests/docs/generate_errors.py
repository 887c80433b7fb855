"""Generates docs/reference/errors.md: the exceptions a person may meet, as errors.py has them."""

import inspect
from collections.abc import Iterator

from flowflare import errors
from flowflare.errors import FlowflareError

_INTRODUCTION = """\
# Errors

An error says which thing is wrong, what is wrong with it and, on a line of its own, what to write
or run instead. On the command line it stands on standard error and the exit code is the table's. In
Python all of them are in `flowflare.errors`, and catching one class catches those below it.

| class | exit code | |
|---|---|---|
"""


def errors_page() -> str:
    """The Markdown text of docs/reference/errors.md."""
    rows = (
        f"| {'&emsp;' * depth}`{kind.__name__}` | {kind.exit_code} | {_meaning(kind)} |\n"
        for kind, depth in error_classes()
    )
    attributes = "\n".join(filter(None, (_attributes(kind) for kind, _ in error_classes())))
    return f"{_INTRODUCTION}{''.join(rows)}\n## What they carry\n\n{attributes}"


def error_classes() -> Iterator[tuple[type[FlowflareError], int]]:
    """Every class below `FlowflareError` in the order of the file, with its depth in the tree."""
    yield from _below(FlowflareError, 0)


def _below(kind: type[FlowflareError], depth: int) -> Iterator[tuple[type[FlowflareError], int]]:
    yield kind, depth
    # Other modules may have subclasses of their own; they are no part of the page.
    for child in (one for one in vars(errors).values() if isinstance(one, type)):
        if kind in child.__bases__:
            yield from _below(child, depth + 1)


def _meaning(kind: type[FlowflareError]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0]


def _attributes(kind: type[FlowflareError]) -> str:
    """What the docstring says that the class takes and has, as a list."""
    items: list[str] = []
    for line in inspect.cleandoc(kind.__doc__ or "").splitlines():
        name, colon, text = line.strip().partition(": ")
        if line.startswith(" " * 8):
            items[-1] += f" {line.strip()}"
        elif line.startswith(" ") and colon:
            items.append(f"- `{name}`: {text}")
    return "\n".join([f"`{kind.__name__}`", "", *items, ""]) if items else ""
