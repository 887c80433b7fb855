"""What D1 refuses, as workerd's D1 does here and D1's own pages say."""

from collections.abc import Iterator
from typing import Final

from flowflare.migrations.rules.scene import Hit, Registered, Scene, name_of, target
from flowflare.migrations.schema import LEDGER_TABLES
from flowflare.migrations.syntax import Node, children

# What workerd's authorizer lets through, tried one by one; page_size may be read only.
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


def transaction(node: Node, _scene: Scene) -> Iterator[Hit]:
    """BEGIN, COMMIT, END, ROLLBACK, SAVEPOINT, RELEASE."""
    word = str(node["op"]).replace("_", " ")
    yield Hit(
        "transaction",
        f"D1 refuses {word}: each file is a transaction already",
        "Take the statement out.",
    )


def attach(node: Node, _scene: Scene) -> Iterator[Hit]:
    """ATTACH and DETACH."""
    word = "ATTACH" if node["type"] == "AttachStmt" else "DETACH"
    yield Hit("attach", f"D1 refuses {word}", "Take the statement out: a file has one database.")


def vacuum(_node: Node, _scene: Scene) -> Iterator[Hit]:
    """VACUUM."""
    yield Hit("vacuum", "D1 refuses VACUUM", "Take the statement out: D1 looks after its files.")


def pragma(node: Node, _scene: Scene) -> Iterator[Hit]:
    """PRAGMAs, foreign keys being switched off among them."""
    name, value = name_of(node["pragma_name"]), name_of(node["value"]).strip("'\"")
    if name not in _PRAGMAS or (name == "page_size" and value):
        remedy = "Take the statement out."
        yield Hit("pragma", f"D1 refuses PRAGMA {name}", remedy)
    elif name == "foreign_keys" and value in _OFF:
        yield Hit(
            "foreign-keys-off",
            "D1 accepts this and leaves foreign keys on, so dropping or rebuilding a table still "
            "deletes what refers to it",
            "Take it out; to put off the check to the file's end, write PRAGMA "
            "defer_foreign_keys = ON (it does not put off ON DELETE CASCADE).",
        )


def temporary(node: Node, _scene: Scene) -> Iterator[Hit]:
    """CREATE TEMP ..., and names in the schema `temp`."""
    if node["temporary"] != "NONE" or name_of(node["schema"]) == "temp":
        remedy = "Make an ordinary one and drop it at the end of the file."
        yield Hit("temporary", "D1 has no temporary tables, views or triggers", remedy)


def module(node: Node, _scene: Scene) -> Iterator[Hit]:
    """CREATE VIRTUAL TABLE."""
    name = name_of(node["module_name"])
    if name not in _MODULES:
        remedy = f"D1 has {', '.join(_MODULES)}."
        yield Hit("virtual-table-module", f"D1 has no module {name}", remedy)
        return
    yield Hit(
        "virtual-table",
        "`wrangler d1 export` refuses a database with a virtual table",
        "Rely on Time Travel for backups, or keep the table in a database of its own.",
    )


def reserved_name(node: Node, _scene: Scene) -> Iterator[Hit]:
    """Names that SQLite or D1 keep for themselves."""
    name = name_of(node[_NAMES[node["type"]]])
    if name.startswith(_RESERVED):
        message = f"{name}: names that begin with sqlite_ or _cf_ are not free"
        yield Hit("reserved-name", message, "Call it something else.")


def columns(node: Node, _scene: Scene) -> Iterator[Hit]:
    """How many columns a table has."""
    count = len(children(node, "columns"))
    if count > _MOST_COLUMNS:
        message = f"the table has {count} columns, and D1 takes {_MOST_COLUMNS}"
        yield Hit("too-many-columns", message, "Split the table, or keep some of it as JSON.")


def ledger(node: Node, _scene: Scene) -> Iterator[Hit]:
    """Statements about the ledger itself."""
    name = target(node)
    if name in LEDGER_TABLES:
        yield Hit(
            "ledger-table",
            f"{name} is where applied migrations are noted",
            "Take the statement out; flowflare migrations baseline and restore change the ledger.",
        )


def windows_trigger(_node: Node, scene: Scene) -> Iterator[Hit]:
    """Triggers in files with Windows line ends."""
    if scene.windows:
        yield Hit(
            "crlf-in-trigger",
            "the file's lines end with CR LF, which D1 has mishandled inside triggers; flowflare "
            "sends LF, wrangler sends the file as it is",
            "Save the file with LF (in .gitattributes: *.sql text eol=lf).",
        )


_CREATE: Final = ("CreateTableStmt", "CreateViewStmt", "CreateTriggerStmt")
_WRITES: Final = ("InsertStmt", "UpdateStmt", "DeleteStmt", "DropStmt", "AlterTableStmt")
RULES: Final[tuple[Registered, ...]] = (
    (("TransactionStmt", "SavepointStmt"), transaction),
    (("AttachStmt", "DetachStmt"), attach),
    (("VacuumStmt",), vacuum),
    (("PragmaStmt",), pragma),
    (_CREATE, temporary),
    (("CreateVirtualTableStmt",), module),
    (tuple(_NAMES), reserved_name),
    (("CreateTableStmt",), columns),
    ((*_WRITES, "CreateTableStmt"), ledger),
    (("CreateTriggerStmt",), windows_trigger),
)
