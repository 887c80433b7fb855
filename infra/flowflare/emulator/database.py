"""Store in one SQLite file what Cloudflare knows about its accounts.

The file uses write-ahead logging and one connection, and every change is committed before its
answer is sent. After `kill -9` the next start therefore finds everything that was answered. A file
of an older format is upgraded when it is opened.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flowflare.emulator.disk import find_disk_problem

_FIRST = """
CREATE TABLE accounts (
    id TEXT PRIMARY KEY, subdomain TEXT NOT NULL, key_value_classes TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE databases (
    account TEXT NOT NULL, uuid TEXT PRIMARY KEY, name TEXT NOT NULL, created_at TEXT NOT NULL,
    region TEXT, jurisdiction TEXT, replication TEXT NOT NULL, UNIQUE (account, name)
) STRICT;
CREATE TABLE scripts (
    account TEXT NOT NULL, name TEXT NOT NULL, tag TEXT NOT NULL, record TEXT NOT NULL,
    bindings TEXT NOT NULL, migration_tag TEXT, enabled INTEGER NOT NULL, previews INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) STRICT;
CREATE TABLE modules (
    account TEXT NOT NULL, script TEXT NOT NULL, etag TEXT NOT NULL, position INTEGER NOT NULL,
    name TEXT NOT NULL, content_type TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (account, script, etag, position)
) STRICT;
CREATE TABLE versions (
    account TEXT NOT NULL, script TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL,
    etag TEXT NOT NULL, record TEXT NOT NULL, bindings TEXT NOT NULL,
    PRIMARY KEY (account, script, id),
    FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
) STRICT;
CREATE TABLE namespaces (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, script TEXT NOT NULL, class TEXT NOT NULL,
    use_sqlite INTEGER NOT NULL, UNIQUE (account, script, class)
) STRICT;
CREATE TABLE schedules (
    account TEXT NOT NULL, script TEXT NOT NULL, cron TEXT NOT NULL, created_on TEXT NOT NULL,
    modified_on TEXT NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (account, script, cron),
    FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
) STRICT;
CREATE TABLE workflows (
    account TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL UNIQUE, script TEXT NOT NULL,
    class TEXT NOT NULL, version_id TEXT NOT NULL, created_on TEXT NOT NULL,
    modified_on TEXT NOT NULL, PRIMARY KEY (account, name)
) STRICT;
CREATE TABLE ports (
    account TEXT NOT NULL, script TEXT NOT NULL, port INTEGER NOT NULL UNIQUE,
    PRIMARY KEY (account, script)
) STRICT;
"""
_TIME_TRAVEL = """
CREATE TABLE contents (
    database TEXT NOT NULL REFERENCES databases (uuid) ON DELETE CASCADE, digest BLOB NOT NULL,
    content BLOB NOT NULL, PRIMARY KEY (database, digest)
) STRICT;
CREATE TABLE moments (
    database TEXT NOT NULL REFERENCES databases (uuid) ON DELETE CASCADE, time INTEGER NOT NULL,
    digest BLOB NOT NULL, asked INTEGER NOT NULL, PRIMARY KEY (database, time)
) STRICT, WITHOUT ROWID;
"""
_AROUND_SCRIPTS = """
CREATE TABLE zones (
    id TEXT PRIMARY KEY, account TEXT, name TEXT NOT NULL, created_on TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE routes (
    id TEXT PRIMARY KEY, zone TEXT NOT NULL REFERENCES zones ON DELETE CASCADE,
    pattern TEXT NOT NULL, account TEXT, script TEXT, UNIQUE (zone, pattern),
    FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE domains (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, hostname TEXT NOT NULL, script TEXT NOT NULL,
    environment TEXT NOT NULL, zone TEXT NOT NULL REFERENCES zones ON DELETE CASCADE,
    certificate TEXT NOT NULL, UNIQUE (account, hostname),
    FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE targets (
    account TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
    key TEXT NOT NULL, created_on TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (account, kind, id), UNIQUE (account, kind, name)
) STRICT, WITHOUT ROWID;
"""
_DEPLOYMENTS = """
CREATE TABLE deployments (
    number INTEGER PRIMARY KEY, account TEXT NOT NULL, script TEXT NOT NULL, version TEXT NOT NULL,
    record TEXT NOT NULL,
    FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
) STRICT;
"""
_CONSUMERS = """
CREATE TABLE consumers (
    account TEXT NOT NULL, id TEXT PRIMARY KEY, queue TEXT NOT NULL UNIQUE, script TEXT NOT NULL,
    dead_letter_queue TEXT NOT NULL, settings TEXT NOT NULL, created_on TEXT NOT NULL,
    FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
"""
_ASSETS = """
CREATE TABLE assets (
    account TEXT NOT NULL, hash TEXT NOT NULL, content_type TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (account, hash)
) STRICT;
CREATE TABLE asset_sessions (
    token TEXT PRIMARY KEY, account TEXT NOT NULL, manifest TEXT NOT NULL,
    is_complete INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""
_WORKFLOW_VERSIONS = """
CREATE TABLE workflow_versions (
    number INTEGER PRIMARY KEY, workflow TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE, class TEXT NOT NULL, created_on TEXT NOT NULL, settings TEXT NOT NULL
) STRICT;
INSERT INTO workflow_versions (workflow, id, class, created_on, settings)
SELECT id, version_id, class, modified_on, '{}' FROM workflows;
"""
_DNS_RECORDS = """
CREATE TABLE dns_records (
    id TEXT PRIMARY KEY, zone TEXT NOT NULL REFERENCES zones ON DELETE CASCADE, record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""
_PULL_CONSUMERS = """
CREATE TABLE all_consumers (
    account TEXT NOT NULL, id TEXT PRIMARY KEY, queue TEXT NOT NULL UNIQUE, script TEXT,
    dead_letter_queue TEXT NOT NULL, settings TEXT NOT NULL, created_on TEXT NOT NULL,
    FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO all_consumers SELECT * FROM consumers;
DROP TABLE consumers;
ALTER TABLE all_consumers RENAME TO consumers;
"""
_TAILS = """
CREATE TABLE tails (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, script TEXT NOT NULL, filters TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    FOREIGN KEY (account, script) REFERENCES scripts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
"""
_SUBSCRIPTIONS = """
CREATE TABLE subscriptions (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, enabled INTEGER NOT NULL,
    workflow TEXT NOT NULL, queue TEXT NOT NULL, events TEXT NOT NULL, since TEXT NOT NULL,
    created_at TEXT NOT NULL, modified_at TEXT NOT NULL, UNIQUE (account, workflow)
) STRICT, WITHOUT ROWID;
"""
_STEPS = (
    _FIRST,
    _TIME_TRAVEL,
    _AROUND_SCRIPTS,
    _DEPLOYMENTS,
    _CONSUMERS,
    _ASSETS,
    _WORKFLOW_VERSIONS,
    _DNS_RECORDS,
    _PULL_CONSUMERS,
    _TAILS,
    _SUBSCRIPTIONS,
)
"""What each format adds to the previous one. A released step never changes."""
SCHEMA_VERSION = len(_STEPS)


class Database:
    """Read and write the open file.

    Args:
        path: the file, which is created if it does not exist.

    Raises:
        ValueError: a newer version of the emulator wrote the file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            self._connection.close()
            message = (
                f"{path} has format {version}, but this emulator reads only up to {SCHEMA_VERSION}"
            )
            raise ValueError(message)
        missing = "".join(_STEPS[version:])
        if missing:
            self._connection.executescript(
                f"BEGIN;{missing}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;"
            )

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def run(self, sql: str, *values: object) -> int:
        """Run a statement and return how many rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def select(self, table: str, order: str = "1", **where: object) -> list[sqlite3.Row]:
        """Return the rows of a table whose columns have these values."""
        conditions = " AND ".join(f"{column} IS ?" for column in where) or "TRUE"
        sql = f"SELECT * FROM {table} WHERE {conditions} ORDER BY {order}"  # noqa: S608
        return self.rows(sql, *where.values())

    def delete(self, table: str, **where: object) -> None:
        """Delete the rows of a table whose columns have these values."""
        conditions = " AND ".join(f"{column} IS ?" for column in where)
        self.run(f"DELETE FROM {table} WHERE {conditions}", *where.values())  # noqa: S608

    def insert(self, table: str, *values: object, replace: bool = False) -> None:
        """Insert a row with a value for every column; `replace` the row with the same key."""
        verb, places = "INSERT OR REPLACE" if replace else "INSERT", ", ".join("?" * len(values))
        self.run(f"{verb} INTO {table} VALUES ({places})", *values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all statements when the block ends, or roll them back if it raises.

        A block inside another is part of the outer one.
        """
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # SQLite may have rolled back already, as it does when the disk is full.
            with suppress(sqlite3.OperationalError):
                self._connection.execute("ROLLBACK")
            raise

    def find_problem(self) -> str | None:
        """Return why the file cannot be written at present; None if it can."""
        try:
            with self.transaction():
                # The same value again: it changes nothing, but SQLite writes it.
                self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.Error as error:
            return find_disk_problem(error) or f"The emulator's file cannot be used: {error}"
        return None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class Store:
    """Hold the rules of a service, on tables of the emulator's file."""

    def __init__(self, database: Database) -> None:
        self._database = database
