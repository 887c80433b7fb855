"""What a rule knows beside the statement itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from flowflare.migrations.schema import Schema
from flowflare.migrations.syntax import Node, tables


@dataclass(frozen=True)
class Hit:
    """What a rule found: its name, what is wrong, what to write instead."""

    rule: str
    message: str
    remedy: str


@dataclass
class Scene:
    """A file while its statements are looked at one after the other; names are lower case.

    Attributes:
        schema: what the statements so far have made.
        windows: whether the file's lines end as on Windows.
        made: tables that this file made: nobody's data is in them yet.
        copied: tables whose rows this file put into another table.
        added: columns that this file added, as (table, column).
    """

    schema: Schema
    windows: bool = False
    made: set[str] = field(default_factory=set)
    copied: set[str] = field(default_factory=set)
    added: set[tuple[str, str]] = field(default_factory=set)

    def note(self, node: Node) -> None:
        """Notes what a statement does, once the rules have looked at it and before it runs."""
        kind = node["type"]
        if kind == "CreateTableStmt":
            name = name_of(node["table_name"])
            # IF NOT EXISTS makes nothing where there is one.
            self.made |= set() if self.schema.has_table(name) else {name}
            self.copied |= tables(node["as_select"])
        elif kind == "InsertStmt":
            self.copied |= tables(node["source"]) - tables(node["table"])
        elif kind == "AlterTableStmt":
            self._note_change(node)

    def _note_change(self, node: Node) -> None:
        table = target(node)
        if node["op"] == "ADD_COLUMN":
            self.added.add((table, ident(node["column"]["column_name"])))
        elif node["op"] == "RENAME_TABLE":
            new = ident(node["new_name"])
            for names in (self.made, self.copied):
                if table in names:
                    names.discard(table)
                    names.add(new)


Rule = Callable[[Node, Scene], Iterator[Hit]]
#: A rule with the types of statements that it looks at.
Registered = tuple[tuple[str, ...], Rule]


def name_of(value: object) -> str:
    """A name as SQLite compares it."""
    return str(value or "").lower()


def ident(node: Node | None) -> str:
    """The name in an identifier's node."""
    return name_of(node.get("source")) if node else ""


def target(node: Node) -> str:
    """The table that an ALTER, DROP, DELETE, UPDATE or INSERT is about."""
    inner = node.get("target") or node.get("table") or {}
    if inner.get("type") == "QualifiedName":
        return ident(inner.get("object_name"))
    return name_of(inner.get("table_name") or node.get("table_name"))
