"""Parse single statements with SQLite's own grammar.

A node is a mapping from syntaqlite's `parse_raw`: `type`, and the fields of that type. The typed
classes contain the same and would cost a copy.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

Node = Mapping[str, Any]
#: Why a statement has no node: it is not SQL, is nested too deeply, or is too long to be parsed.
Unparsed = Literal["syntax", "deep", "long"]

#: The longest statement that D1 accepts, in bytes [developers.cloudflare.com/d1/platform/limits].
LONGEST: Final = 100_000
# The parser recurses natively. A statement of maximum length can be nested 49,000 levels deep,
# which took less than 128 MB of stack when measured. The stack is reserved, not used.
_STACK: Final = 256 << 20


def parse(texts: Sequence[str]) -> list[Node | Unparsed]:
    """Parse statements, and return their nodes in order.

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
    # If a text stops the parser, it stops the thread, and the following texts have no node either.
    return parsed + ["syntax"] * (len(texts) - len(parsed))


def list_children(node: Node | None, *path: str) -> list[Node]:
    """Return the nodes of a list below a node; empty if there is no list."""
    inner: Any = node
    for name in path:
        inner = inner.get(name) if inner else None
    found: list[Node] = inner.get("children") or [] if inner else []
    return found


def list_tables(node: object) -> set[str]:
    """Return the tables that a node reads or writes, in lower case, from its FROM clauses down."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("type") == "TableRef" and part.get("table_name"):
                found.add(str(part["table_name"]).lower())
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def _parse_all(texts: Sequence[str], parsed: list[Node | Unparsed]) -> None:
    from syntaqlite import Syntaqlite

    with Syntaqlite() as grammar:
        # One at a time: the results before a text that the parser cannot handle are kept.
        parsed.extend(_parse(grammar, text) for text in texts)


def _parse(grammar: Any, text: str) -> Node | Unparsed:
    if len(text.encode("utf-8", "replace")) > LONGEST:
        return "long"
    if "\0" in text:
        return "syntax"
    try:
        # The list has no node for an error, so a statement with an error is not exactly one node.
        nodes = grammar.parse_raw(text.encode("utf-8", "replace").decode())
    except RecursionError:
        return "deep"
    return nodes[0] if len(nodes) == 1 and nodes[0] else "syntax"
