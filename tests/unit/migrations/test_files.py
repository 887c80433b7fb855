"""Reading a folder of migrations."""

from pathlib import Path

import pytest

from flowflare import library
from flowflare.errors import MigrationError
from flowflare.migrations.files import migration, read_migrations


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(text)
    return folder


def test_files_are_read_in_numeric_order(tmp_path: Path) -> None:
    write(tmp_path, m0002_add_index="CREATE INDEX i ON t (a);", m0001_create="CREATE TABLE t (a);")
    (tmp_path / "README.md").write_text("no migration")
    assert [file.name for file in read_migrations(tmp_path)] == [
        "0001_create.sql",
        "0002_add_index.sql",
    ]


def test_line_endings_are_line_feeds_and_do_not_change_the_checksum() -> None:
    windows, unix = migration("0001_a.sql", "A;\r\nB;\r\n"), migration("0001_a.sql", "A;\nB;\n")
    assert windows == unix
    assert windows.sql == "A;\nB;\n"


def test_every_problem_of_the_folder_is_reported(tmp_path: Path) -> None:
    write(
        tmp_path,
        m0001_create="CREATE TABLE t (a);",
        m0001_again="CREATE TABLE u (a);",
        m0004_late="CREATE TABLE v (a);",
        m5_short="CREATE TABLE w (a);",
        m0005_empty=" \n",
    )
    with pytest.raises(MigrationError) as caught:
        read_migrations(tmp_path)
    assert caught.value.message.splitlines() == [
        "0001_create.sql: the number 0001 is given twice",
        "0004_late.sql: 0002 is missing before it",
        "0005_empty.sql: is empty",
        "5_short.sql: is not called like 0001_create_tables.sql",
    ]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_binary.sql").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MigrationError, match=r"0001_binary\.sql: is not UTF-8 text"):
        read_migrations(tmp_path)


def test_the_tracking_schema_is_in_order() -> None:
    assert read_migrations(library.folder("migrations"))[0].name == "0001_tracking.sql"
