"""Check for what D1 refuses, by the local workerd's D1 and D1's own documentation."""

from collections.abc import Iterator
from typing import Final

from flowflare.migrations.rules.scene import FileScene, Hit, Registered, normalise_name, read_target
from flowflare.migrations.schema import LEDGER_TABLES
from flowflare.migrations.syntax import Node, list_children

# PRAGMAs that workerd's authorizer allows, tested one by one; page_size can only be read.
_PRAGMAS: Final = (
    "case_sensitive_like", "data_version", "defer_foreign_keys", "foreign_key_check",
    "foreign_key_list", "foreign_keys", "ignore_check_constraints", "index_info", "index_list",
    "index_xinfo", "legacy_alter_table", "optimize", "page_size", "quick_check",
    "recursive_triggers", "reverse_unordered_selects", "table_info", "table_list", "table_xinfo",
)  # fmt: skip
_OFF: Final = ("off", "false", "no", "0")
_MODULES: Final = ("fts5", "fts5vocab", "rtree")
_MOST_COLUMNS: Final = 100
_RESERVED: Final = ("sqlite_", "_cf_")
_NAMES: Final = {
    "CreateTableStmt": "table_name",
    "CreateVirtualTableStmt": "table_name",
    "CreateIndexStmt": "index_name",
    "CreateViewStmt": "view_name",
    "CreateTriggerStmt": "trigger_name",
}


def check_transaction(node: Node, _scene: FileScene) -> Iterator[Hit]:
    """BEGIN, COMMIT, END, ROLLBACK, SAVEPOINT, RELEASE."""
    word = str(node["op"]).replace("_", " ")
    yield Hit(
        "transaction",
        f"D1 refuses {word}: each file is already a transaction",
        "Remove the statement.",
    )


def check_attach(node: Node, _scene: FileScene) -> Iterator[Hit]:
    """ATTACH and DETACH."""
    word = "ATTACH" if node["type"] == "AttachStmt" else "DETACH"
    yield Hit("attach", f"D1 refuses {word}", "Remove the statement: a file has one database.")


def check_vacuum(_node: Node, _scene: FileScene) -> Iterator[Hit]:
    """VACUUM."""
    yield Hit("vacuum", "D1 refuses VACUUM", "Remove the statement: D1 maintains its files itself.")


def check_pragma(node: Node, _scene: FileScene) -> Iterator[Hit]:
    """PRAGMAs, including the one that switches off foreign keys."""
    name, value = normalise_name(node["pragma_name"]), normalise_name(node["value"]).strip("'\"")
    if name not in _PRAGMAS or (name == "page_size" and value):
        remedy = "Remove the statement."
        yield Hit("pragma", f"D1 refuses PRAGMA {name}", remedy)
    elif name == "foreign_keys" and value in _OFF:
        yield Hit(
            "foreign-keys-off",
            "D1 accepts this but keeps foreign keys on, so dropping or rebuilding a table still "
            "deletes the rows that refer to it",
            "Remove it. To defer the check to the end of the file, write PRAGMA "
            "defer_foreign_keys = ON (it does not defer ON DELETE CASCADE).",
        )


def check_temporary(node: Node, _scene: FileScene) -> Iterator[Hit]:
    """CREATE TEMP ..., and names in the schema `temp`."""
    if node["temporary"] != "NONE" or normalise_name(node["schema"]) == "temp":
        remedy = "Create an ordinary one, and drop it at the end of the file."
        yield Hit("temporary", "D1 has no temporary tables, views or triggers", remedy)


def check_module(node: Node, _scene: FileScene) -> Iterator[Hit]:
    """CREATE VIRTUAL TABLE."""
    name = normalise_name(node["module_name"])
    if name not in _MODULES:
        remedy = f"D1 has {', '.join(_MODULES)}."
        yield Hit("virtual-table-module", f"D1 has no module {name}", remedy)
        return
    yield Hit(
        "virtual-table",
        "`wrangler d1 export` refuses a database with a virtual table",
        "Rely on Time Travel for backups, or keep the table in its own database.",
    )


def check_reserved_name(node: Node, _scene: FileScene) -> Iterator[Hit]:
    """Names that SQLite or D1 reserve."""
    name = normalise_name(node[_NAMES[node["type"]]])
    if name.startswith(_RESERVED):
        message = f"{name}: names that begin with sqlite_ or _cf_ are reserved"
        yield Hit("reserved-name", message, "Choose another name.")


def check_columns(node: Node, _scene: FileScene) -> Iterator[Hit]:
    """Tables with too many columns."""
    count = len(list_children(node, "columns"))
    if count > _MOST_COLUMNS:
        message = f"the table has {count} columns, but D1 accepts {_MOST_COLUMNS}"
        yield Hit("too-many-columns", message, "Split the table, or store some columns as JSON.")


def check_ledger(node: Node, _scene: FileScene) -> Iterator[Hit]:
    """Statements about the ledger itself."""
    name = read_target(node)
    if name in LEDGER_TABLES:
        yield Hit(
            "ledger-table",
            f"{name} records the applied migrations",
            "Remove the statement; flowflare migrations baseline and restore change the ledger.",
        )


def check_windows_trigger(_node: Node, scene: FileScene) -> Iterator[Hit]:
    """Triggers in files with Windows line endings."""
    if scene.windows:
        yield Hit(
            "crlf-in-trigger",
            "the file's lines end with CR LF, which D1 has mishandled inside triggers; flowflare "
            "sends LF, wrangler sends the file unchanged",
            "Save the file with LF (in .gitattributes: *.sql text eol=lf).",
        )


_CREATE: Final = ("CreateTableStmt", "CreateViewStmt", "CreateTriggerStmt")
_WRITES: Final = ("InsertStmt", "UpdateStmt", "DeleteStmt", "DropStmt", "AlterTableStmt")
RULES: Final[tuple[Registered, ...]] = (
    (("TransactionStmt", "SavepointStmt"), check_transaction),
    (("AttachStmt", "DetachStmt"), check_attach),
    (("VacuumStmt",), check_vacuum),
    (("PragmaStmt",), check_pragma),
    (_CREATE, check_temporary),
    (("CreateVirtualTableStmt",), check_module),
    (tuple(_NAMES), check_reserved_name),
    (("CreateTableStmt",), check_columns),
    ((*_WRITES, "CreateTableStmt"), check_ledger),
    (("CreateTriggerStmt",), check_windows_trigger),
)
