"""Exports of databases: requested, polled, fetched, and imported into another database."""

from typing import Any

import pytest

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, get

pytestmark = pytest.mark.workerd

SCHEMA = """
CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT);
CREATE TABLE child (parent INTEGER REFERENCES parent (id), data BLOB);
CREATE INDEX by_text ON parent (text);
INSERT INTO parent (text) VALUES ('it''s; one'), ('two
lines');
INSERT INTO child VALUES (2, x'00ff');
"""


def export(account: Account, database: str, **dump: Any) -> str:
    path = f"/d1/database/{database}/export"
    body = {"output_format": "polling", "dump_options": dump}
    begun = account.call("POST", path, json=body)
    assert "status" not in begun
    body["current_bookmark"] = begun["at_bookmark"]
    done = account.call("POST", path, json=body)
    assert (done["status"], done["at_bookmark"]) == ("complete", begun["at_bookmark"])
    return get(done["result"]["signed_url"]).text


def test_an_export_recreates_the_database(account: Account) -> None:
    database, copy = account.database("one"), account.database("two")
    account.query(database, SCHEMA)
    account.query(copy, export(account, database))
    for table in ("parent", "child"):
        select = f"SELECT * FROM {table}"
        assert account.rows(copy, select) == account.rows(database, select)
    account.query(copy, "INSERT INTO parent (text) VALUES ('three')")
    assert account.rows(copy, "SELECT max(id) AS id FROM parent") == [{"id": 3}]


def test_schema_data_and_tables_are_chosen(account: Account) -> None:
    database = account.database()
    account.query(database, SCHEMA)
    assert "INSERT INTO" not in export(account, database, no_data=True)
    assert "CREATE TABLE" not in export(account, database, no_schema=True)
    assert 'INTO "parent"' not in export(account, database, tables=["child"], no_schema=True)


def test_what_cannot_be_exported_is_refused(account: Account) -> None:
    database = account.database()
    path = f"/d1/database/{database}/export"

    def expect_refusal(**body: Any) -> int:
        code: int = account.expect_refusal("POST", path, json=body).errors[0][0]
        return code

    assert expect_refusal(output_format="file") == 7400
    assert expect_refusal(output_format="polling", current_bookmark="x") == 7400
    assert expect_refusal(output_format="polling", dump_options={"tables": "t"}) == 7400
    account.query(database, "CREATE VIRTUAL TABLE t USING fts5 (a)")
    begun = account.call("POST", path, json={"output_format": "polling"})
    assert expect_refusal(output_format="polling", current_bookmark=begun["at_bookmark"]) == 7500
    sql = {"sql": "PRAGMA miniflare_d1_export(?,?,?);", "params": [0, 0]}
    assert (
        account.expect_refusal("POST", f"/d1/database/{database}/query", json=sql).errors[0][0]
        == 7500
    )
    assert get(f"{account.root}/emulator/exports/nothing.sql").status_code == 404


def test_the_official_sdk_exports(account: Account, cloud: Running) -> None:
    from cloudflare import Cloudflare

    database = account.database()
    account.query(database, SCHEMA)
    with Cloudflare(base_url=cloud.base_url, api_token=cloud.token, max_retries=0) as sdk:
        ask = {"account_id": account.id, "output_format": "polling"}
        begun = sdk.d1.database.export(database, **ask)  # type: ignore[arg-type]
        assert begun.at_bookmark
        done = sdk.d1.database.export(database, current_bookmark=begun.at_bookmark, **ask)  # type: ignore[arg-type]
        assert done.result
        assert done.result.signed_url
        assert "CREATE TABLE parent" in get(done.result.signed_url).text
