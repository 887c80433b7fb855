"""Check for lost data: dropped tables and columns, deleted rows, and cascades."""

from collections.abc import Iterator, Sequence
from typing import Final

from flowflare.migrations.rules.scene import (
    FileScene,
    Hit,
    Registered,
    normalise_name,
    read_identifier,
    read_target,
)
from flowflare.migrations.schema import ForeignKey
from flowflare.migrations.syntax import Node, list_children

_WHY: Final = "If this is intended, give a reason: `-- flowflare: accept {}: <reason>`"


def check_dropped_table(node: Node, scene: FileScene) -> Iterator[Hit]:
    """DROP TABLE deletes the table's rows, and may delete rows that refer to them."""
    table = read_target(node)
    if node["object_type"] != "TABLE" or not scene.schema.has_table(table):
        return
    keys = scene.schema.keys_to(table)
    taking = [key for key in keys if key.takes_along]
    if taking:
        yield Hit(
            "drop-cascades",
            f"D1 deletes the rows of {table} before dropping it, and that "
            f"{_describe_cascades(taking)}",
            f"Rebuild {_write_names(taking)} first in the same file: create the new {table} and "
            "new tables that refer to it, copy the rows, drop the old ones before the old "
            f"{table}, rename.",
        )
    elif keys:
        yield Hit(
            "drop-parent",
            f"{_write_names(keys)} refers to {table}: D1 refuses the file if any rows do",
            "Drop or rebuild the tables that refer to it first.",
        )
    if table not in scene.copied and table not in scene.made:
        yield Hit(
            "drop-table",
            f"the rows of {table} are lost",
            f"Copy them before it (INSERT INTO ... SELECT). {_WHY.format('drop-table')}",
        )


def check_dropped_column(node: Node, scene: FileScene) -> Iterator[Hit]:
    """ALTER TABLE DROP COLUMN."""
    table, column = read_target(node), read_identifier(node["old_name"])
    if node["op"] != "DROP_COLUMN" or table in scene.made or (table, column) in scene.added:
        return
    yield Hit(
        "drop-column",
        f"the data in {table}.{column} is lost, and Workers of the previous release still read it",
        f"First deploy Workers that do not use it. {_WHY.format('drop-column')}",
    )


def check_renamed_table(node: Node, scene: FileScene) -> Iterator[Hit]:
    """ALTER TABLE RENAME TO of a parent."""
    table = read_target(node)
    keys = scene.schema.keys_to(table) if node["op"] == "RENAME_TABLE" else []
    if keys and table not in scene.made:
        new = read_identifier(node["new_name"])
        yield Hit(
            "rename-parent",
            f"{_write_names(keys)} refers to {table} and will refer to {new}: dropping {new} later "
            "deletes those rows, whatever is named {0} by then".replace("{0}", table),
            f"To rebuild {table}, create the new table under another name, drop the old one, "
            f"then rename the new one to {table}.",
        )


def check_delete_all(node: Node, scene: FileScene) -> Iterator[Hit]:
    """DELETE without WHERE."""
    table = read_target(node)
    if node["where_clause"] is not None or table in scene.made:
        return
    taking = [key for key in scene.schema.keys_to(table) if key.takes_along]
    more = f", and that {_describe_cascades(taking)}" if taking else ""
    yield Hit(
        "delete-all",
        f"every row of {table} is deleted{more}",
        f"Add a WHERE. {_WHY.format('delete-all')}",
    )


def check_update_all(node: Node, scene: FileScene) -> Iterator[Hit]:
    """UPDATE without WHERE; filling a column that the same file added loses nothing."""
    table = read_target(node)
    if node["where_clause"] is not None or node["from_clause"] is not None or table in scene.made:
        return
    if all((table, column) in scene.added for column in _list_assigned(node)):
        return
    yield Hit(
        "update-all",
        f"every row of {table} is overwritten, and each is billed as a written row",
        f"Add a WHERE. {_WHY.format('update-all')}",
    )


def check_replace(node: Node, scene: FileScene) -> Iterator[Hit]:
    """REPLACE INTO and OR REPLACE delete the old row first."""
    table = read_target(node)
    taking = [key for key in scene.schema.keys_to(table) if key.takes_along]
    if node["conflict_action"] == "REPLACE" and taking:
        yield Hit(
            "replace-cascades",
            f"REPLACE deletes the existing row of {table}, and that {_describe_cascades(taking)}",
            "Write INSERT ... ON CONFLICT (...) DO UPDATE SET ... instead.",
        )


def _list_assigned(node: Node) -> list[str]:
    columns = []
    for clause in list_children(node, "setlist"):
        several = [
            normalise_name(column.get("column")) for column in list_children(clause, "columns")
        ]
        columns += several or [normalise_name(clause.get("column"))]
    return columns


def _write_names(keys: Sequence[ForeignKey]) -> str:
    return ", ".join(sorted({key.child for key in keys}))


def _describe_cascades(keys: Sequence[ForeignKey]) -> str:
    words = []
    for key in keys:
        columns = ", ".join(key.columns)
        if key.on_delete == "CASCADE":
            words.append(f"deletes the rows of {key.child} that refer to them (ON DELETE CASCADE)")
        else:
            words.append(f"empties {key.child}.{columns} (ON DELETE {key.on_delete})")
    return " and ".join(dict.fromkeys(words))


RULES: Final[tuple[Registered, ...]] = (
    (("DropStmt",), check_dropped_table),
    (("AlterTableStmt",), check_dropped_column),
    (("AlterTableStmt",), check_renamed_table),
    (("DeleteStmt",), check_delete_all),
    (("UpdateStmt",), check_update_all),
    (("InsertStmt", "UpdateStmt"), check_replace),
)
