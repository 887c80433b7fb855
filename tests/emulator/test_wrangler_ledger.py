"""wrangler and flowflare apply the migrations of one database in turn."""

from pathlib import Path

import pytest

from flowflare.api import connect
from flowflare.migrations.apply import migrate
from flowflare.migrations.files import read_migrations
from flowflare.migrations.ledger import RemoteDatabase, read_ledger
from tests.emulator.emulated import Account
from tests.emulator.test_wrangler import Project

pytestmark = pytest.mark.workerd


@pytest.mark.long
def test_both_tools_apply_each_file_once(account: Account, tmp_path: Path) -> None:
    project = Project(tmp_path, account, account.database("db"))
    client = connect(account.running.base_url, account.running.token)
    uuid = account.call("GET", "/d1/database/db")["uuid"]
    database = RemoteDatabase(client, account.id, uuid)
    folder = tmp_path / "migrations"

    migrate(database, read_migrations(folder))  # 0001, by flowflare
    project.run("d1", "migrations", "create", "DB", "add Orders & it's more")
    made = folder / "0002_add_Orders_&_it's_more.sql"
    made.write_text(made.read_text() + "INSERT INTO t VALUES (2);\n")
    project.run("d1", "migrations", "apply", "DB", "--remote")  # 0002, by wrangler
    rows = read_ledger(database)
    assert [(row.name, row.checksum is None) for row in rows] == [
        ("0001_first.sql", False),
        (made.name, True),
    ]

    (folder / "0003_third.sql").write_text("INSERT INTO t VALUES (3)")
    migrate(database, read_migrations(folder))  # 0003, by flowflare
    assert [row.checksum for row in read_ledger(database)] == [
        file.checksum for file in read_migrations(folder)
    ]
    assert "No migrations to apply" in project.run("d1", "migrations", "list", "DB", "--remote")
    assert account.rows(uuid, "SELECT a FROM t ORDER BY a") == [{"a": 1}, {"a": 2}, {"a": 3}]
