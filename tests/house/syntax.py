"""Parse the modules of the package once for all tests of the house that a worker runs."""

import ast
from functools import cache
from pathlib import Path


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text("utf-8"))


@cache
def list_nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a Python file, outer nodes first."""
    return tuple(ast.walk(parse(path)))
