"""Parses single statements with SQLite's own grammar.

A node is a mapping as syntaqlite's `parse_raw` gives it: `type`, and the fields of that type; the
typed classes hold the same and cost a copy.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

Node = Mapping[str, Any]
#: What a statement is that has no node: no SQL, nested too deep, or too long to be looked at.
Unparsed = Literal["syntax", "deep", "long"]

#: The longest statement that D1 takes, in bytes [developers.cloudflare.com/d1/platform/limits].
LONGEST: Final = 100_000
# The parser recurses natively. A statement of the longest kind nests 49,000 deep, which took less
# than 128 MB of stack when it was measured; the stack is reserved, not used.
_STACK: Final = 256 << 20


def parse(texts: Sequence[str]) -> list[Node | Unparsed]:
    """The nodes of statements, in order.

    Args:
        texts: one statement each.
    """
    parsed: list[Node | Unparsed] = []
    if not texts:
        return parsed
    previous = threading.stack_size(_STACK)
    try:
        worker = threading.Thread(target=_parse_all, args=(texts, parsed), name="sql-parser")
        worker.start()
    finally:
        threading.stack_size(previous)
    worker.join()
    # A parser that stops on a text stops the thread: what follows has no node either.
    return parsed + ["syntax"] * (len(texts) - len(parsed))


def children(node: Node | None, *path: str) -> list[Node]:
    """The nodes of a list below a node, empty where there is none."""
    inner: Any = node
    for name in path:
        inner = inner.get(name) if inner else None
    found: list[Node] = inner.get("children") or [] if inner else []
    return found


def tables(node: object) -> set[str]:
    """The tables that a node reads or writes, lower case, from its FROM clauses down."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if one.get("type") == "TableRef" and one.get("table_name"):
                found.add(str(one["table_name"]).lower())
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found


def _parse_all(texts: Sequence[str], parsed: list[Node | Unparsed]) -> None:
    from syntaqlite import Syntaqlite

    with Syntaqlite() as grammar:
        # One by one: what was parsed before a text that the parser cannot take, stays.
        parsed.extend(_parse(grammar, text) for text in texts)


def _parse(grammar: Any, text: str) -> Node | Unparsed:
    if len(text.encode("utf-8", "replace")) > LONGEST:
        return "long"
    if "\0" in text:
        return "syntax"
    try:
        # Errors are left out of the list: a statement with one is not exactly one node.
        nodes = grammar.parse_raw(text.encode("utf-8", "replace").decode())
    except RecursionError:
        return "deep"
    return nodes[0] if len(nodes) == 1 and nodes[0] else "syntax"
