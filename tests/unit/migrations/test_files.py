"""Reading a folder of migrations."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowflare import library
from flowflare.errors import MigrationError
from flowflare.migrations.files import make_migration, make_next_name, read_migrations

NOW = datetime(2026, 11, 30, 18, 45, tzinfo=UTC)


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
    write(tmp_path, m0001_create="CREATE TABLE t (a);", m0006_nul="SELECT 1;\0 SELECT 2;")
    (tmp_path / "0007_\x1b[2J.sql").write_text("SELECT 1;")
    (tmp_path / "0008_binary.sql").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MigrationError) as caught:
        read_migrations(tmp_path)
    assert caught.value.message.splitlines() == [
        "0006_nul.sql: contains a NUL, where SQLite stops reading",
        r"'0007_\x1b[2J.sql': has a character that cannot be printed in its name",
        "0008_binary.sql: is not UTF-8 text",
    ]


@pytest.mark.parametrize(
    "names",
    [
        ["0000_drizzle.sql", "0001_Über_Größe.sql", "0002_it's & more!.sql"],
        ["0001_a.sql", "0002_left.sql", "0002_right.sql", "0046_after_a_gap.sql"],
        ["001_init.sql", "002-users.sql", "0003.sql"],
        ["1_one.sql", "9_nine.sql", "10_ten.sql"],
        ["0010_squash.sql", "20260116020812_init.sql", "init.sql"],
        ["2026-01-15-a.sql", "2026-01-15-b.sql", "2026-02-01-c.sql"],
    ],
)
def test_all_names_that_wrangler_takes_are_taken_in_its_order(
    tmp_path: Path, names: list[str]
) -> None:
    for name in [*reversed(names), ".0001_hidden.sql", "0001_UPPER.SQL"]:
        (tmp_path / name).write_text("-- Migration number: 0001 \t 2026-11-23T00:00:00.000Z\n")
    (tmp_path / "0000_folder.sql").mkdir()
    assert [file.name for file in read_migrations(tmp_path)] == names


def test_a_folder_for_each_migration_is_read_unless_files_are_beside_them(tmp_path: Path) -> None:
    for name in ("20260102_more", "20260101_init", ".hidden", "empty"):
        (tmp_path / name).mkdir()
        if name != "empty":
            (tmp_path / name / "migration.sql").write_text("SELECT 1;")
    (tmp_path / "migration_lock.toml").write_text('provider = "sqlite"')
    nested = ["20260101_init/migration.sql", "20260102_more/migration.sql"]
    assert [file.name for file in read_migrations(tmp_path)] == nested
    (tmp_path / "0001_flat.sql").write_text("SELECT 1;")
    assert [file.name for file in read_migrations(tmp_path)] == ["0001_flat.sql"]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="the folder of migrations does not exist"):
        read_migrations(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], "0001_add_Orders.sql"),
        (["0000_a.sql", "0001_b.sql"], "0002_add_Orders.sql"),
        (["001-init.sql", "002-more.sql"], "003-add-Orders.sql"),
        (["0010_squash.sql", "0046_b.sql"], "0047_add_Orders.sql"),
        (["9_nine.sql"], "10_add_Orders.sql"),
        (["20260116020812_init.sql"], "20261130184500_add_Orders.sql"),
        (["2026-01-15-init.sql"], "2026-11-30-add-Orders.sql"),
        (["20260116_init/migration.sql"], "20261130_add_Orders/migration.sql"),
        (["0000_a/migration.sql"], "0001_add_Orders/migration.sql"),
    ],
)
def test_the_next_file_is_named_like_the_others(names: list[str], expected: str) -> None:
    files = [make_migration(name, "SELECT 1;") for name in names]
    assert make_next_name(files, "add  Orders", NOW) == expected


def test_a_name_that_is_wrong_or_would_not_be_the_last_is_refused() -> None:
    with pytest.raises(MigrationError, match=r"'a/b' cannot be a migration's name"):
        make_next_name((), "a/b", NOW)
    unnumbered = make_migration("init.sql", "SELECT 1;")
    with pytest.raises(MigrationError, match=r"0001_more\.sql: would be applied before init\.sql"):
        make_next_name([unnumbered], "more", NOW)


def test_the_tracking_schema_has_no_problem() -> None:
    assert read_migrations(library.folder("migrations"))[0].name == "0001_tracking.sql"


ACCEPT = "-- flowflare: accept drop-table: its rows are in s since 0001"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DROP TABLE t;\n", f"{ACCEPT}\nDROP TABLE t;\n"),
        ("SELECT 1;\nDROP TABLE t;", f"SELECT 1;\n  {ACCEPT}\n{ACCEPT}\nDROP TABLE t;"),
        ("SELECT 1;\nDROP TABLE t;", f"SELECT 1; {ACCEPT}\nDROP TABLE t;"),
        ("-- why\n\nDROP TABLE t;", f"-- why\n{ACCEPT}\n\nDROP TABLE t;"),
        ("DROP TABLE t;", f"{ACCEPT}\r\nDROP TABLE t;"),
    ],
)
def test_a_comment_that_accepts_a_finding_does_not_change_the_checksum(
    before: str, after: str
) -> None:
    plain, accepted = make_migration("0001_a.sql", before), make_migration("0001_a.sql", after)
    assert plain.checksum == accepted.checksum
    assert accepted.digest != plain.digest


def test_every_other_change_does() -> None:
    texts = (
        "DROP TABLE t;\n",
        "-- why\nDROP TABLE t;\n",
        f"SELECT '\n{ACCEPT}\n';",
        "SELECT '\n';",
        f"SELECT {ACCEPT}\n1;",
        "SELECT\n1;",
    )
    assert len({make_migration("0001_a.sql", text).checksum for text in texts}) == len(texts)
