"""Exports of D1 databases: they restore every row, and an unverified export does not count."""

import json
import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest

from flowflare.api import Client, Connector, Pace
from flowflare.errors import ApiError, FleetError
from flowflare.fleet.exports import exported_sql
from flowflare.fleet.exports.exporter import Exporter, StackDatabase, export_store, read_manifests
from flowflare.state.backends.store import Store
from tests.aws import serve_aws
from tests.e2e.embedded import Account, Cloudflare

SCHEMA = """\
CREATE TABLE "odd ""name" (
  id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT, data BLOB, number REAL
);
CREATE TABLE part (
  id INTEGER PRIMARY KEY, whole INTEGER REFERENCES "odd ""name" (id) ON DELETE CASCADE,
  twice INTEGER GENERATED ALWAYS AS (id * 2) VIRTUAL);
CREATE TABLE empty (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX part_of ON part (whole);
CREATE VIEW texts AS SELECT text FROM "odd ""name";
CREATE TRIGGER again AFTER INSERT ON part BEGIN
  UPDATE "odd ""name" SET number = coalesce(number, 0) + 1 WHERE id = new.whole;
END;
INSERT INTO "odd ""name" (text, data) VALUES
  ('it''s; "odd"' || char(10) || 'CREATE TABLE x (y);' || char(10), x'00ff41'),
  ('ünïcödé 🚀', NULL), ('', x''), (char(13) || char(10) || ';', zeroblob(5)), (NULL, NULL);
INSERT INTO part (id, whole) VALUES (1, 1), (2, 1), (9007199254740, NULL);
DELETE FROM "odd ""name" WHERE id = 5;
"""
READ = {
    "odd": "SELECT id, text, hex(data) AS data, typeof(data) AS kind, number "
    'FROM "odd ""name" ORDER BY id',
    "part": "SELECT id, whole, twice FROM part ORDER BY 1",
    "next": "SELECT seq FROM sqlite_sequence WHERE name LIKE 'odd%'",
}


@pytest.fixture
def account(cloudflare: Cloudflare) -> Account:
    return cloudflare.open_account(uuid4().hex)


@pytest.fixture
def client(cloudflare: Cloudflare) -> Client:
    return Connector(Pace(calls=1_000_000)).open(cloudflare.base_url, cloudflare.token)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return export_store("exports", tmp_path, {})


def make(account: Account, name: str, sql: str) -> StackDatabase:
    uuid = account.post("/d1/database", {"name": name})["uuid"]
    query(account, uuid, sql)
    return StackDatabase("database", account.identity, uuid, name)


def query(account: Account, uuid: str, sql: str) -> list[dict]:
    return account.post(f"/d1/database/{uuid}/query", {"sql": sql})[-1]["results"]


def exporter(client: Client, store: Store, tmp_path: Path) -> Exporter:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return Exporter(client, store, "acme-prod", scratch)


def test_an_export_loads_with_the_same_rows(
    account: Account, client: Client, store: Store, tmp_path: Path
) -> None:
    """It has rows, empty tables, blobs, generated columns, sequences, indexes, views, triggers."""
    stored = make(account, "acme", SCHEMA)
    manifest = exporter(client, store, tmp_path).export([stored])
    [folder] = (tmp_path / "exports/acme-prod").iterdir()
    assert json.loads((folder / "manifest.json").read_text())["stack"] == "acme-prod"
    assert manifest == read_manifests(store, "acme-prod")[0]
    assert dict(manifest.databases[0].tables) == {"empty": 0, 'odd "name': 4, "part": 3}
    loaded = tmp_path / "loaded.sqlite"
    exported_sql.load(folder / "acme.sql", loaded)
    with sqlite3.connect(loaded) as database:
        database.row_factory = sqlite3.Row
        for sql in READ.values():
            assert [dict(row) for row in database.execute(sql)] == query(account, stored.uuid, sql)
        names = {row["name"] for row in database.execute("SELECT name FROM sqlite_master")}
    assert names >= {"part_of", "texts", "again"}
    assert (folder / "acme.sql").stat().st_mode & 0o077 == 0
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_export_may_go_to_a_bucket(account: Account, client: Client, tmp_path: Path) -> None:
    one = make(account, "acme", "CREATE TABLE a (b); INSERT INTO a VALUES (1)")
    with serve_aws() as aws:
        aws.open_client("s3").create_bucket(
            Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        store = export_store("s3://archive/tenants", tmp_path, aws.environment)
        manifest = exporter(client, store, tmp_path).export([one])
        assert read_manifests(store, "acme-prod") == [manifest]
        [sql] = [key for key in store.keys("acme-prod/") if key.endswith("acme.sql")]
        stored = store.get(sql)
    assert stored is not None
    assert b"INSERT INTO" in stored.data
    assert store.describe("acme-prod") == "s3://archive/tenants/acme-prod"


def test_rounded_numbers_are_found(
    account: Account, client: Client, store: Store, tmp_path: Path
) -> None:
    """The embedded Cloudflare's export converts numbers to JavaScript's."""
    one = make(account, "acme", "CREATE TABLE a (b); INSERT INTO a VALUES (9007199254740993)")
    with pytest.raises(FleetError, match="has contents that differ from D1's, in a"):
        exporter(client, store, tmp_path).export([one])
    assert read_manifests(store, "acme-prod") == []


def test_many_tables_and_columns_are_measured(
    account: Account, client: Client, store: Store, tmp_path: Path
) -> None:
    wide = ", ".join(f"c{number} INTEGER DEFAULT {number}" for number in range(90))
    tables = "".join(f"CREATE TABLE t{number} (a);" for number in range(60))
    one = make(
        account, "acme", f"{tables} CREATE TABLE wide ({wide}); INSERT INTO wide (c0) VALUES (7)"
    )
    manifest = exporter(client, store, tmp_path).export([one])
    assert len(manifest.databases[0].tables) == 61
    assert manifest.databases[0].compared == "contents"


class InterruptedClient:
    """A client that runs a function after each call for an export."""

    def __init__(self, client: Client, do) -> None:
        self._client = client
        self._do = do

    def call(self, method: str, path: str, **words):
        answer = self._client.call(method, path, **words)
        if path.endswith("/export"):
            self._do()
        return answer


def test_a_database_that_changes_during_every_export_is_not_exported(
    account: Account, client: Client, store: Store, tmp_path: Path
) -> None:
    one = make(account, "acme", "CREATE TABLE note (text TEXT)")
    add_row = "INSERT INTO note VALUES ('new')"
    busy = InterruptedClient(client, lambda: query(account, one.uuid, add_row))
    with pytest.raises(FleetError, match="database acme changed during each of 3") as refused:
        exporter(busy, store, tmp_path).export([one])
    assert "status: suspended" in refused.value.remedy
    assert read_manifests(store, "acme-prod") == []


def test_a_refusal_of_d1_is_reported(
    account: Account, client: Client, store: Store, tmp_path: Path
) -> None:
    one = make(account, "acme", "CREATE VIRTUAL TABLE words USING fts5(text)")
    with pytest.raises(ApiError, match="cannot export databases with Virtual Tables"):
        exporter(client, store, tmp_path).export([one])


def test_a_deleted_database_must_have_an_export(
    account: Account, client: Client, store: Store, tmp_path: Path
) -> None:
    """After a kill during the deletion, the remaining databases are exported again."""
    first = make(account, "first", "CREATE TABLE a (b); INSERT INTO a VALUES (1)")
    second = make(account, "second", "CREATE TABLE c (d)")
    exporter(client, store, tmp_path).export([first, second])
    client.call("DELETE", f"/accounts/{account.identity}/d1/database/{first.uuid}")
    manifest = exporter(client, store, tmp_path).export([first, second])
    assert {database.name: dict(database.tables) for database in manifest.databases} == {
        "first": {"a": 1},
        "second": {"c": 0},
    }
    for file in (tmp_path / "exports").rglob("first.sql"):
        file.write_text("-- changed by hand")
    with pytest.raises(FleetError, match="database first of stack acme-prod is not in the account"):
        exporter(client, store, tmp_path).export([first, second])


def test_a_database_with_new_rows_since_its_export_is_not_deleted(
    account: Account, client: Client, store: Store, tmp_path: Path
) -> None:
    one = make(account, "acme", "CREATE TABLE a (b); INSERT INTO a VALUES (1)")
    exports = exporter(client, store, tmp_path)
    with pytest.raises(FleetError, match="database acme has no export"):
        exports.require_current([one])
    exports.export([one])
    exports.require_current([one])
    query(account, one.uuid, "INSERT INTO a VALUES (2)")
    with pytest.raises(FleetError, match="acme has changed since its export; nothing was deleted"):
        exports.require_current([one])
    client.call("DELETE", f"/accounts/{account.identity}/d1/database/{one.uuid}")
    exports.require_current([one])


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "CREATE TABLE a (b);\nINSERT INTO a VALUES ('cut",
            "sql:2: the last statement is incomplete",
        ),
        ("CREATE TABLE a (b);\nINSERT INTO b VALUES (1);\n", "sql:2: SQLite refuses it: no such"),
    ],
)
def test_an_export_that_does_not_load_is_refused(sql: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "sql").write_text(sql)
    with pytest.raises(FleetError, match=message):
        exported_sql.measure_export(tmp_path / "sql", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["sql"]
