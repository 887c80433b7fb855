"""Reading a folder of migrations."""

from pathlib import Path

import pytest

from flowflare import library
from flowflare.errors import MigrationError
from flowflare.migrations.files import make_migration, make_next_name, read_migrations


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
    windows, unix = (
        make_migration("0001_a.sql", "A;\r\nB;\r\n"),
        make_migration("0001_a.sql", "A;\nB;\n"),
    )
    assert windows == unix
    assert windows.sql == "A;\nB;\n"
    assert (windows.windows, unix.windows) == (True, False)


def test_every_problem_of_the_folder_is_reported(tmp_path: Path) -> None:
    write(
        tmp_path,
        m0001_create="CREATE TABLE t (a);",
        m0001_again="CREATE TABLE u (a);",
        m0004_late="CREATE TABLE v (a);",
        m5_short="CREATE TABLE w (a);",
        m0005_empty=" \n",
        m0006_nul="SELECT 1;\0 SELECT 2;",
    )
    with pytest.raises(MigrationError) as caught:
        read_migrations(tmp_path)
    assert caught.value.message.splitlines() == [
        "0001_create.sql: has the number of 0001_again.sql",
        "0004_late.sql: 0002, 0003 are missing before it",
        "0005_empty.sql: is empty",
        "0006_nul.sql: contains a NUL, where SQLite stops reading",
        "5_short.sql: is not named like 0001_create_tables.sql",
    ]
    assert caught.value.remedy == (
        "Number the files 0001, 0002 and so on. Never renumber an applied file: if two files have "
        "the same number, give the file that was not applied the next free number. See which files "
        "were applied: flowflare migrations status"
    )


@pytest.mark.parametrize(
    "names",
    [
        ["0000_drizzle.sql", "0001_Über_Größe.sql", "0002_it's & more!.sql"],
        ["0001_a.sql", "0002_B-c.d.sql"],
    ],
)
def test_all_names_that_wrangler_accepts_are_accepted(tmp_path: Path, names: list[str]) -> None:
    for name in [*names, ".0001_hidden.sql"]:
        (tmp_path / name).write_text("-- Migration number: 0001 \t 2026-11-23T00:00:00.000Z\n")
    assert [file.name for file in read_migrations(tmp_path)] == names


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("0002_a.sql", "0002_a.sql: 0001 is missing before it"),
        ("20260101_a.sql", "20260101_a.sql: is not named like 0001_create_tables.sql"),
        ("0001.sql", "0001.sql: is not named like 0001_create_tables.sql"),
    ],
)
def test_a_folder_starts_with_0000_or_0001(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationError) as caught:
        read_migrations(tmp_path)
    assert caught.value.message == problem


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="the folder of migrations does not exist"):
        read_migrations(tmp_path / "nowhere")


def test_the_next_file_is_named_as_by_wrangler(tmp_path: Path) -> None:
    write(tmp_path, m0000_a="SELECT 1;", m0001_b="SELECT 1;")
    files = read_migrations(tmp_path)
    assert make_next_name(files, "add  Orders") == "0002_add_Orders.sql"
    assert make_next_name((), "create") == "0001_create.sql"
    with pytest.raises(MigrationError, match=r"'a/b' cannot be a migration's name"):
        make_next_name(files, "a/b")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_binary.sql").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MigrationError, match=r"0001_binary\.sql: is not UTF-8 text"):
        read_migrations(tmp_path)


def test_the_tracking_schema_has_no_problem() -> None:
    assert read_migrations(library.folder("migrations"))[0].name == "0001_tracking.sql"
