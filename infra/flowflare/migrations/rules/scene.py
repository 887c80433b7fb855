"""Define what a rule knows in addition to the statement."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from flowflare.migrations.schema import Schema
from flowflare.migrations.syntax import Node, list_tables


@dataclass(frozen=True)
class Hit:
    """A rule's finding: the rule's name, what is wrong, and what to write instead.

    Attributes:
        is_certain: an error although the rule is a warning, because D1 refuses it in any database.
    """

    rule: str
    message: str
    remedy: str
    is_certain: bool = False


@dataclass
class FileScene:
    """The state of a file while its statements are checked one by one; names are lower case.

    Attributes:
        schema: what the statements so far have defined.
        windows: whether the file has Windows line endings.
        made: tables that this file created, which have no data yet.
        copied: tables whose rows this file copied into another table.
        added: columns that this file added, as (table, column).
    """

    schema: Schema
    windows: bool = False
    made: set[str] = field(default_factory=set)
    copied: set[str] = field(default_factory=set)
    added: set[tuple[str, str]] = field(default_factory=set)

    def note(self, node: Node) -> None:
        """Record what a statement does, after the rules have checked it and before it runs."""
        kind = node["type"]
        if kind == "CreateTableStmt":
            name = normalise_name(node["table_name"])
            # IF NOT EXISTS creates nothing if the table exists.
            self.made |= set() if self.schema.has_table(name) else {name}
            self.copied |= list_tables(node["as_select"])
        elif kind == "InsertStmt":
            self.copied |= list_tables(node["source"]) - list_tables(node["table"])
        elif kind == "AlterTableStmt":
            self._note_change(node)

    def _note_change(self, node: Node) -> None:
        table = read_target(node)
        if node["op"] == "ADD_COLUMN":
            self.added.add((table, read_identifier(node["column"]["column_name"])))
        elif node["op"] == "RENAME_TABLE":
            new = read_identifier(node["new_name"])
            for names in (self.made, self.copied):
                if table in names:
                    names.discard(table)
                    names.add(new)


Rule = Callable[[Node, FileScene], Iterator[Hit]]
#: A rule with the types of statements that it checks.
Registered = tuple[tuple[str, ...], Rule]


def normalise_name(value: object) -> str:
    """Return a name as SQLite compares it."""
    return str(value or "").lower()


def read_identifier(node: Node | None) -> str:
    """Return the name in an identifier's node."""
    return normalise_name(node.get("source")) if node else ""


def read_target(node: Node) -> str:
    """Return the table that an ALTER, DROP, DELETE, UPDATE or INSERT is about."""
    inner = node.get("target") or node.get("table") or {}
    if inner.get("type") == "QualifiedName":
        return read_identifier(inner.get("object_name"))
    return normalise_name(inner.get("table_name") or node.get("table_name"))
