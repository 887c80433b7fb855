"""Generate docs/reference/errors.md: the exceptions of errors.py."""

import inspect
from collections.abc import Iterator

from flowflare import errors
from flowflare.errors import FlowflareError

_INTRODUCTION = """\
# Errors

An error names its subject and what is wrong with it. Its next line says what to write or run
instead. A command prints the error on standard error, and exits with the code in the table. In
Python, all classes are in `flowflare.errors`. Catching a class also catches its subclasses.

| class | exit code | |
|---|---|---|
"""


def errors_page() -> str:
    """Return the Markdown text of docs/reference/errors.md."""
    rows = (
        f"| {'&emsp;' * depth}`{kind.__name__}` | {kind.exit_code} | {_meaning(kind)} |\n"
        for kind, depth in error_classes()
    )
    attributes = "\n".join(filter(None, (_attributes(kind) for kind, _ in error_classes())))
    return f"{_INTRODUCTION}{''.join(rows)}\n## Attributes\n\n{attributes}"


def error_classes() -> Iterator[tuple[type[FlowflareError], int]]:
    """List `FlowflareError` and its subclasses in the file's order, with their depth."""
    yield from _below(FlowflareError, 0)


def _below(kind: type[FlowflareError], depth: int) -> Iterator[tuple[type[FlowflareError], int]]:
    yield kind, depth
    # Subclasses in other modules are not on the page.
    for child in (value for value in vars(errors).values() if isinstance(value, type)):
        if kind in child.__bases__:
            yield from _below(child, depth + 1)


def _meaning(kind: type[FlowflareError]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0]


def _attributes(kind: type[FlowflareError]) -> str:
    """Format the arguments and attributes in the docstring as a list."""
    items: list[str] = []
    for line in inspect.cleandoc(kind.__doc__ or "").splitlines():
        name, colon, text = line.strip().partition(": ")
        if line.startswith(" " * 8):
            items[-1] += f" {line.strip()}"
        elif line.startswith(" ") and colon:
            items.append(f"- `{name}`: {text}")
    return "\n".join([f"`{kind.__name__}`", "", *items, ""]) if items else ""
