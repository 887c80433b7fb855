"""What loses data: tables, columns and rows that go, and rows that go with others."""

from collections.abc import Iterator, Sequence
from typing import Final

from flowflare.migrations.rules.scene import Hit, Registered, Scene, ident, name_of, target
from flowflare.migrations.schema import ForeignKey
from flowflare.migrations.syntax import Node, children

_WHY: Final = "If that is meant, say why: `-- flowflare: accept {}: <reason>`"


def drop_table(node: Node, scene: Scene) -> Iterator[Hit]:
    """DROP TABLE: its own rows, and those that refer to it."""
    table = target(node)
    if node["object_type"] != "TABLE" or not scene.schema.has_table(table):
        return
    keys = scene.schema.keys_to(table)
    taking = [key for key in keys if key.takes_along]
    if taking:
        yield Hit(
            "drop-cascades",
            f"D1 deletes the rows of {table} before it drops it, and that {_taken(taking)}",
            f"Rebuild {_names(taking)} first in the same file: make the new {table} and new "
            "tables that refer to it, copy the rows, drop the old ones before the old "
            f"{table}, rename.",
        )
    elif keys:
        yield Hit(
            "drop-parent",
            f"{_names(keys)} refers to {table}: D1 refuses the file where rows do",
            "Drop or rebuild what refers to it first.",
        )
    if table not in scene.copied and table not in scene.made:
        yield Hit(
            "drop-table",
            f"the rows of {table} are lost",
            f"Copy them before it (INSERT INTO ... SELECT). {_WHY.format('drop-table')}",
        )


def drop_column(node: Node, scene: Scene) -> Iterator[Hit]:
    """ALTER TABLE DROP COLUMN."""
    table, column = target(node), ident(node["old_name"])
    if node["op"] != "DROP_COLUMN" or table in scene.made or (table, column) in scene.added:
        return
    yield Hit(
        "drop-column",
        f"what is in {table}.{column} is lost, and Workers of the release before still ask for it",
        f"Deploy Workers that do without it first. {_WHY.format('drop-column')}",
    )


def rename_table(node: Node, scene: Scene) -> Iterator[Hit]:
    """ALTER TABLE RENAME TO of a parent."""
    table = target(node)
    keys = scene.schema.keys_to(table) if node["op"] == "RENAME_TABLE" else []
    if keys and table not in scene.made:
        new = ident(node["new_name"])
        yield Hit(
            "rename-parent",
            f"{_names(keys)} refers to {table} and will refer to {new}: dropping {new} later takes "
            "those rows, whatever is called {0} then".replace("{0}", table),
            f"To rebuild {table}, make the new table under another name, drop the old one, "
            f"then rename the new one to {table}.",
        )


def delete_all(node: Node, scene: Scene) -> Iterator[Hit]:
    """DELETE without WHERE."""
    table = target(node)
    if node["where_clause"] is not None or table in scene.made:
        return
    taking = [key for key in scene.schema.keys_to(table) if key.takes_along]
    more = f", and that {_taken(taking)}" if taking else ""
    yield Hit(
        "delete-all",
        f"every row of {table} is deleted{more}",
        f"Add a WHERE. {_WHY.format('delete-all')}",
    )


def update_all(node: Node, scene: Scene) -> Iterator[Hit]:
    """UPDATE without WHERE; filling a column that the file added is no loss."""
    table = target(node)
    if node["where_clause"] is not None or node["from_clause"] is not None or table in scene.made:
        return
    if all((table, column) in scene.added for column in _assigned(node)):
        return
    yield Hit(
        "update-all",
        f"every row of {table} is overwritten, and billed as a written row",
        f"Add a WHERE. {_WHY.format('update-all')}",
    )


def replace(node: Node, scene: Scene) -> Iterator[Hit]:
    """REPLACE INTO and OR REPLACE: the old row is deleted first."""
    table = target(node)
    taking = [key for key in scene.schema.keys_to(table) if key.takes_along]
    if node["conflict_action"] == "REPLACE" and taking:
        yield Hit(
            "replace-cascades",
            f"REPLACE deletes the row of {table} that is there, and that {_taken(taking)}",
            "Write INSERT ... ON CONFLICT (...) DO UPDATE SET ... instead.",
        )


def _assigned(node: Node) -> list[str]:
    columns = []
    for clause in children(node, "setlist"):
        several = [name_of(one.get("column")) for one in children(clause, "columns")]
        columns += several or [name_of(clause.get("column"))]
    return columns


def _names(keys: Sequence[ForeignKey]) -> str:
    return ", ".join(sorted({key.child for key in keys}))


def _taken(keys: Sequence[ForeignKey]) -> str:
    words = []
    for key in keys:
        columns = ", ".join(key.columns)
        if key.on_delete == "CASCADE":
            words.append(f"deletes the rows of {key.child} that refer to them (ON DELETE CASCADE)")
        else:
            words.append(f"empties {key.child}.{columns} (ON DELETE {key.on_delete})")
    return " and ".join(dict.fromkeys(words))


RULES: Final[tuple[Registered, ...]] = (
    (("DropStmt",), drop_table),
    (("AlterTableStmt",), drop_column),
    (("AlterTableStmt",), rename_table),
    (("DeleteStmt",), delete_all),
    (("UpdateStmt",), update_all),
    (("InsertStmt", "UpdateStmt"), replace),
)
