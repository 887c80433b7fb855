"""The emulator's own file: an older format is upgraded and keeps its data."""

import sqlite3
from contextlib import closing
from pathlib import Path

from flowflare.emulator import database
from flowflare.emulator.database import SCHEMA_VERSION, Database


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}


def test_a_file_of_the_first_format_is_upgraded(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(f"{database._STEPS[0]} PRAGMA user_version = 1;")
        connection.execute("INSERT INTO accounts VALUES ('a', 'mine', 'allowed')")
        connection.commit()
    for path in (old, new, old):
        Database(path).close()
    assert tables(old) == tables(new)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT * FROM accounts").fetchall() == [("a", "mine", "allowed")]
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
