"""Check added columns that SQLite accepts for an empty table but refuses for one with rows."""

from collections.abc import Iterator
from typing import Any, Final

from flowflare.migrations.rules.scene import (
    FileScene,
    Hit,
    Registered,
    read_identifier,
    read_target,
)
from flowflare.migrations.syntax import Node, list_children

_REBUILD: Final = "or rebuild the table."


def check_added_column(node: Node, scene: FileScene) -> Iterator[Hit]:
    """ALTER TABLE ADD COLUMN, for a table that may have rows."""
    if node["op"] != "ADD_COLUMN" or read_target(node) in scene.made:
        return
    constraints = {each["kind"]: each for each in list_children(node, "column", "constraints")}
    name = f"{read_target(node)}.{read_identifier(node['column']['column_name'])}"
    generated = constraints.get("GENERATED")
    if generated is not None:
        if generated["generated_storage"] == "STORED":
            yield Hit(
                "add-generated-column",
                f"{name} is STORED, and SQLite cannot add such a column to a table with rows",
                f"Make it VIRTUAL, {_REBUILD}",
            )
        return
    yield from _check_default(name, constraints)


def _check_default(name: str, constraints: dict[str, Node]) -> Iterator[Hit]:
    default = constraints.get("DEFAULT", {}).get("default_expr")
    is_null = default is None or default.get("literal_type") == "NULL"
    if is_null and "NOT_NULL" in constraints:
        yield Hit(
            "not-null-without-default",
            f"{name} is NOT NULL without a default: this works for an empty table, but not for a "
            "table with rows",
            "Add a DEFAULT, or add the column without NOT NULL and fill it.",
        )
    elif not is_null and not _is_constant(default):
        yield Hit(
            "non-constant-default",
            f"the default of {name} is computed: this works for an empty table, but not for a "
            "table with rows",
            f"Give it a constant default and fill it with an UPDATE, {_REBUILD}",
        )
    elif not is_null and "REFERENCES" in constraints:
        yield Hit(
            "references-with-default",
            f"{name} refers to another table and has a default: this works for an empty table, but "
            "not for a table with rows",
            "Omit the default, and fill the column with an UPDATE.",
        )


def _is_constant(node: Any) -> bool:
    kind = node.get("type")
    if kind == "Literal":
        return bool(node.get("literal_type") != "CURRENT")
    inner = {"UnaryExpr": "operand", "ParenExpr": "expr", "CastExpr": "expr"}.get(kind)
    if inner:
        return _is_constant(node.get(inner) or {})
    return kind in ("IdentName", "ColumnRef", None)


RULES: Final[tuple[Registered, ...]] = ((("AlterTableStmt",), check_added_column),)
