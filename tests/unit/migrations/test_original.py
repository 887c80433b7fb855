"""The SQL that converts the original's rows runs, and loses none of them."""

import sqlite3
from collections.abc import Iterator

import pytest

from flowflare import library
from flowflare.migrations.baseline import compare_objects
from flowflare.migrations.files import read_migrations
from flowflare.migrations.original import TABLES, is_original, write_conversion
from flowflare.migrations.schema import OBJECTS

FILES = read_migrations(library.folder("migrations"))
# The columns are those of the original's API reference; some indexes are added.
ORIGINAL = """
CREATE TABLE workflow (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, status TEXT NOT NULL,
  input_params TEXT, output_result TEXT, metadata TEXT, last_run_id TEXT, ref_id TEXT,
  ref_type TEXT, runs_count INTEGER DEFAULT 0, created_at TIMESTAMP, updated_at TIMESTAMP,
  completed_at TIMESTAMP, UNIQUE (name, ref_id, ref_type)
);
CREATE TABLE workflow_runs (
  id TEXT PRIMARY KEY, workflow_id INTEGER NOT NULL REFERENCES workflow (id), status TEXT,
  ref_id TEXT, ref_type TEXT, input_params TEXT, output_result TEXT, metadata TEXT,
  created_at TIMESTAMP, updated_at TIMESTAMP, completed_at TIMESTAMP, sleep_until TIMESTAMP
);
CREATE TABLE workflow_steps (
  id INTEGER PRIMARY KEY AUTOINCREMENT, workflow_run_id TEXT REFERENCES workflow_runs (id),
  step_name TEXT, status TEXT, step_index INTEGER, state TEXT, started_at TIMESTAMP,
  completed_at TIMESTAMP
);
CREATE TABLE workflow_step_retries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, workflow_step_id INTEGER REFERENCES workflow_steps (id),
  retry_count INTEGER, retry_at TIMESTAMP, last_error TEXT, created_at TIMESTAMP
);
CREATE INDEX idx_status ON workflow_runs (status);
INSERT INTO workflow (id, name, status, runs_count, created_at, updated_at) VALUES
  (1, 'order', 'Running', 1, '2025-04-18 10:00:00', '2025-04-18 10:00:00'),
  (2, 'order', 'Completed', 1, '2025-04-18 11:00:00', '2025-04-18T11:00:05.132Z'),
  (3, 'mail', 'Banana', 0, '2025-04-18 12:00:00', NULL);
INSERT INTO workflow_runs (id, workflow_id, status, created_at, updated_at) VALUES
  ('a', 1, 'Pending', '2025-04-18 10:00:00', '2025-04-18 10:00:01'),
  ('b', 2, 'Completed', '2025-04-18 11:00:00', '2025-04-18T11:00:05.132Z');
INSERT INTO workflow_steps (id, workflow_run_id, step_name, status, step_index, started_at,
  completed_at) VALUES
  (7, 'b', 'pay', 'Running', 1, '2025-04-18 11:00:01', NULL),
  (8, 'b', 'pay', 'Completed', 1, NULL, '2025-04-18 11:00:02'),
  (9, 'b', 'ship', 'Odd', 2, NULL, NULL);
INSERT INTO workflow_step_retries (id, workflow_step_id, retry_count, last_error) VALUES
  (1, 7, 1, 'first'), (2, 8, 1, 'again'), (3, 8, 2, 'later');
"""


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(ORIGINAL)
    yield connection
    connection.close()


def objects(database: sqlite3.Connection) -> dict[tuple[str, str], str]:
    rows = database.execute(OBJECTS)
    return {(kind, name): sql for kind, name, _, sql in rows if sql is not None}


def sql(database: sqlite3.Connection) -> str:
    info = "SELECT name FROM pragma_table_info(?)"
    columns = {table: [row[0] for row in database.execute(info, (table,))] for table in TABLES}
    return write_conversion(objects(database), columns, FILES)


def test_the_tables_are_exactly_those_of_the_files(database: sqlite3.Connection) -> None:
    assert is_original(objects(database))
    database.executescript(sql(database))
    assert not compare_objects(objects(database), FILES)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_duplicates_of_the_original_are_merged_and_all_other_rows_are_copied(
    database: sqlite3.Connection,
) -> None:
    database.executescript(sql(database))
    workflows = "SELECT id, name, status, runs_count, completed_at FROM workflow ORDER BY id"
    assert database.execute(workflows).fetchall() == [
        (1, "order", "Completed", 2, "2025-04-18T11:00:05.132Z"),
        (3, "mail", "Errored", 0, None),
    ]
    runs = "SELECT id, workflow_id, workflow_name, status, created_at FROM workflow_runs"
    assert database.execute(runs).fetchall() == [
        ("a", 1, "order", "Running", "2025-04-18T10:00:00.000Z"),
        ("b", 1, "order", "Completed", "2025-04-18T11:00:00.000Z"),
    ]
    steps = "SELECT id, status, started_at, completed_at FROM workflow_steps ORDER BY id"
    assert database.execute(steps).fetchall() == [
        (7, "Completed", "2025-04-18T11:00:01.000Z", "2025-04-18T11:00:02.000Z"),
        (9, "Failed", None, None),
    ]
    retries = "SELECT workflow_step_id, retry_count, last_error FROM workflow_step_retries"
    assert sorted(database.execute(retries)) == [(7, 1, "again"), (7, 2, "later")]


def test_a_run_without_its_workflow_stops_the_conversion(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA foreign_keys = OFF")
    database.execute("INSERT INTO workflow_runs (id, workflow_id) VALUES ('lost', 99)")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        database.executescript(sql(database))
