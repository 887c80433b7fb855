"""Define a file for each rule of the linter, with the database's earlier content.

The emulator's tests run the same files on workerd's D1, so that no rule claims what D1 does not do.
"""

from dataclasses import dataclass
from typing import Literal

#: What the earlier files created.
BEFORE = """\
CREATE TABLE parent (id INTEGER PRIMARY KEY, note TEXT, extra TEXT);
CREATE TABLE child (
  id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id) ON DELETE CASCADE
);
CREATE INDEX child_parent ON child (parent);
CREATE TABLE uncle (id INTEGER PRIMARY KEY, note TEXT);
CREATE TABLE nephew (id INTEGER PRIMARY KEY, uncle INTEGER REFERENCES uncle (id));
CREATE INDEX nephew_uncle ON nephew (uncle);
CREATE TABLE alone (id INTEGER PRIMARY KEY, note TEXT, extra TEXT);
"""
#: The rows that were inserted since.
ROWS = """\
INSERT INTO parent VALUES (1, 'a', 'x'), (2, 'b', 'y');
INSERT INTO child VALUES (1, 1), (2, 2);
INSERT INTO uncle VALUES (1, 'a');
INSERT INTO nephew VALUES (1, 1);
INSERT INTO alone VALUES (1, 'a', 'x'), (2, 'b', 'y');
"""

#: What D1 does with the file: it refuses it; it accepts it and loses data, so that `probe` returns
#: `after` instead of `before`; or it accepts it, with nothing to observe here.
Does = Literal["refuses", "loses", "takes"]


@dataclass(frozen=True)
class Case:
    """A file that breaks a rule."""

    sql: str
    does: Does
    probe: str = ""
    before: int = 0
    after: int = 0
    name: str = "0002_second.sql"


_COLUMNS = ", ".join(f"c{number}" for number in range(101))
_LONG = f"INSERT INTO alone (note) VALUES ('{'x' * 100_000}');"
_DEEP = f"INSERT INTO alone (id) VALUES ({'(' * 2000}1{')' * 2000});"

CASES: dict[str, Case] = {
    "accept-comment": Case("-- flowflare: accept drop-table\nSELECT 1;", "takes"),
    "accept-unused": Case("-- flowflare: accept vacuum: no\nSELECT 1;", "takes"),
    "add-generated-column": Case(
        "ALTER TABLE alone ADD COLUMN twice AS (note || note) STORED;", "refuses"
    ),
    "attach": Case("ATTACH 'other.db' AS other;", "refuses"),
    "crlf-in-trigger": Case(
        "CREATE TRIGGER t AFTER INSERT ON alone BEGIN\r\n  SELECT 1;\r\nEND;\r\n", "takes"
    ),
    "delete-all": Case("DELETE FROM alone;", "loses", "SELECT count(*) AS n FROM alone", 2, 0),
    "does-not-apply": Case("ALTER TABLE missing ADD COLUMN note TEXT;", "refuses"),
    "drop-cascades": Case(
        "PRAGMA defer_foreign_keys = ON;\n"
        "CREATE TABLE parent_new (id INTEGER PRIMARY KEY, note TEXT, extra TEXT);\n"
        "INSERT INTO parent_new SELECT * FROM parent;\n"
        "DROP TABLE parent;\n"
        "ALTER TABLE parent_new RENAME TO parent;",
        "loses",
        "SELECT count(*) AS n FROM child",
        2,
        0,
    ),
    "drop-column": Case(
        "ALTER TABLE alone DROP COLUMN extra;",
        "loses",
        "SELECT count(*) AS n FROM pragma_table_info('alone')",
        3,
        2,
    ),
    "drop-parent": Case(
        "CREATE TABLE uncle_new AS SELECT * FROM uncle;\nDROP TABLE uncle;", "refuses"
    ),
    "drop-table": Case(
        "DROP TABLE alone;",
        "loses",
        "SELECT count(*) AS n FROM sqlite_master WHERE name = 'alone'",
        1,
        0,
    ),
    "empty-migration": Case("-- nothing yet\n", "takes"),
    "foreign-keys-off": Case(
        "PRAGMA foreign_keys = OFF;\nDELETE FROM parent WHERE id = 1;",
        "loses",
        "SELECT count(*) AS n FROM child",
        2,
        1,
    ),
    "ledger-table": Case("DROP TABLE d1_migrations;", "takes"),
    "missing-foreign-key-index": Case(
        "CREATE TABLE cousin (id INTEGER PRIMARY KEY, uncle INTEGER REFERENCES uncle (id));",
        "takes",
    ),
    "non-constant-default": Case(
        "ALTER TABLE alone ADD COLUMN made TEXT DEFAULT CURRENT_TIMESTAMP;", "refuses"
    ),
    "not-null-without-default": Case("ALTER TABLE alone ADD COLUMN made TEXT NOT NULL;", "refuses"),
    "number-used-twice": Case("SELECT 1;", "takes", name="0001_other.sql"),
    "out-of-order": Case("SELECT 1;", "takes", name="0000_early.sql"),
    "pragma": Case("PRAGMA journal_mode = WAL;", "refuses"),
    "references-with-default": Case(
        "ALTER TABLE alone ADD COLUMN uncle INTEGER DEFAULT 1 REFERENCES uncle (id);\n"
        "CREATE INDEX alone_uncle ON alone (uncle);",
        "refuses",
    ),
    "rename-parent": Case(
        "ALTER TABLE parent RENAME TO parent_old;",
        "loses",
        "SELECT count(*) AS n FROM pragma_foreign_key_list('child') WHERE \"table\" = 'parent'",
        1,
        0,
    ),
    "replace-cascades": Case(
        "REPLACE INTO parent (id) VALUES (1);", "loses", "SELECT count(*) AS n FROM child", 2, 1
    ),
    "reserved-name": Case("CREATE TABLE _cf_mine (id INTEGER PRIMARY KEY);", "refuses"),
    "statement-too-long": Case(_LONG, "refuses"),
    "syntax-error": Case("CREATE TABEL mine (id INTEGER PRIMARY KEY);", "refuses"),
    "temporary": Case("CREATE TEMP TABLE mine (id INTEGER PRIMARY KEY);", "refuses"),
    "too-deep": Case(_DEEP, "refuses"),
    "too-many-columns": Case(f"CREATE TABLE mine ({_COLUMNS});", "refuses"),
    "transaction": Case("BEGIN;\nSELECT 1;\nCOMMIT;", "refuses"),
    "unterminated-statement": Case("SELECT 1", "takes"),
    "update-all": Case(
        "UPDATE alone SET note = '';",
        "loses",
        "SELECT count(*) AS n FROM alone WHERE note <> ''",
        2,
        0,
    ),
    "vacuum": Case("VACUUM;", "refuses"),
    "virtual-table": Case("CREATE VIRTUAL TABLE words USING fts5(word);", "takes"),
    "virtual-table-module": Case("CREATE VIRTUAL TABLE words USING fts4(word);", "refuses"),
}

#: Files that look like violations but are not.
HARMLESS: dict[str, str] = {
    "a rebuild of parent and child": (
        "PRAGMA defer_foreign_keys = ON;\n"
        "CREATE TABLE parent_new (id INTEGER PRIMARY KEY, note TEXT NOT NULL);\n"
        "INSERT INTO parent_new SELECT id, coalesce(note, '') FROM parent;\n"
        "CREATE TABLE child_new (id INTEGER PRIMARY KEY,\n"
        "  parent INTEGER REFERENCES parent_new (id) ON DELETE CASCADE);\n"
        "INSERT INTO child_new SELECT * FROM child;\n"
        "DROP TABLE child;\n"
        "DROP TABLE parent;\n"
        "ALTER TABLE parent_new RENAME TO parent;\n"
        "ALTER TABLE child_new RENAME TO child;\n"
        "CREATE INDEX child_parent ON child (parent);"
    ),
    "a rebuild of a table without references": (
        "CREATE TABLE alone_new (id INTEGER PRIMARY KEY, note TEXT);\n"
        "INSERT INTO alone_new SELECT id, note FROM alone;\n"
        "DROP TABLE alone;\nALTER TABLE alone_new RENAME TO alone;"
    ),
    "a column that is filled": (
        "ALTER TABLE alone ADD COLUMN made TEXT NOT NULL DEFAULT '';\n"
        "UPDATE alone SET made = 'today';\n"
        "ALTER TABLE alone ADD COLUMN size INTEGER NOT NULL DEFAULT (-1);\n"
        "ALTER TABLE alone ADD COLUMN double AS (note || note);"
    ),
    "a table that the file itself created": (
        "CREATE TABLE mine (id INTEGER PRIMARY KEY);\nINSERT INTO mine VALUES (1);\n"
        "UPDATE mine SET id = 2;\nDELETE FROM mine;\nDROP TABLE mine;"
    ),
    "a trigger that empties a table": (
        "CREATE TRIGGER emptied AFTER DELETE ON alone BEGIN DELETE FROM parent; END;"
    ),
    "PRAGMAs that D1 accepts": "PRAGMA foreign_keys = ON;\nPRAGMA optimize;\nPRAGMA quick_check;",
    "words in texts": "INSERT INTO alone (note) VALUES ('BEGIN; DROP TABLE parent; -- x');",
    "a key that is the start of an index": (
        "CREATE TABLE pair (a INTEGER REFERENCES parent (id), b INTEGER, PRIMARY KEY (a, b));"
    ),
}
