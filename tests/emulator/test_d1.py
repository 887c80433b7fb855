"""D1: databases and queries, as clients of Cloudflare's API use them."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cloudflare import Cloudflare

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, request
from tests.support.waiting import wait_until

pytestmark = pytest.mark.workerd


def test_the_official_sdk_creates_finds_queries_and_deletes_a_database(cloud: Running) -> None:
    account = Account(cloud).id
    with Cloudflare(base_url=cloud.base_url, api_token=cloud.token, max_retries=0) as sdk:
        made = sdk.d1.database.create(account_id=account, name="orders")
        assert made.uuid
        assert made.name == "orders"
        assert made.num_tables == 0
        assert [each.uuid for each in sdk.d1.database.list(account_id=account)] == [made.uuid]
        found = sdk.d1.database.get("orders", account_id=account)
        assert found.uuid == made.uuid
        results = list(sdk.d1.database.query(made.uuid, account_id=account, sql="SELECT 1 AS one"))
        assert results[0].results == [{"one": 1}]
        sdk.d1.database.delete(made.uuid, account_id=account)
        assert list(sdk.d1.database.list(account_id=account)) == []


def test_a_query_runs_all_statements_and_returns_a_result_for_each(account: Account) -> None:
    database = account.database()
    results = account.query(
        database,
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); -- a comment; with a semicolon\n"
        "INSERT INTO t (b) VALUES ('one;two'), ('three');"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;"
        "SELECT b FROM t ORDER BY a",
    )
    assert len(results) == 4
    assert results[3]["results"] == [{"b": "one;two"}, {"b": "three"}]
    assert results[1]["meta"]["rows_written"] == 2
    assert results[1]["meta"]["changes"] == 2
    assert results[3]["meta"]["rows_read"] == 2
    assert account.call("GET", f"/d1/database/{database}")["num_tables"] == 1


def test_raw_returns_columns_and_rows(account: Account) -> None:
    database = account.database()
    body = {"sql": "SELECT ? AS a, ? AS b", "params": ["x", 2]}
    result = account.call("POST", f"/d1/database/{database}/raw", json=body)[0]
    assert result["results"] == {"columns": ["a", "b"], "rows": [["x", 2]]}


def test_a_batch_runs_each_statement_with_its_parameters(account: Account) -> None:
    database = account.database()
    account.query(database, "CREATE TABLE t (a)")
    batch = [{"sql": "INSERT INTO t VALUES (?)", "params": [n]} for n in (1, 2)]
    account.call("POST", f"/d1/database/{database}/query", json={"batch": batch})
    assert account.rows(database, "SELECT a FROM t") == [{"a": 1}, {"a": 2}]


def test_a_query_that_fails_changes_nothing(account: Account) -> None:
    database = account.database()
    account.query(database, "CREATE TABLE t (a)")
    body = {"sql": "INSERT INTO t VALUES (1); SELECT * FROM nowhere"}
    refused = account.expect_refusal("POST", f"/d1/database/{database}/query", json=body)
    assert refused.status == 400
    assert refused.errors == ((7500, "no such table: nowhere: SQLITE_ERROR"),)
    assert account.rows(database, "SELECT * FROM t") == []


@pytest.mark.parametrize("sql", ["BEGIN; SELECT 1; COMMIT", "SAVEPOINT s"])
def test_transactions_cannot_be_started(account: Account, sql: str) -> None:
    path = f"/d1/database/{account.database()}/query"
    refused = account.expect_refusal("POST", path, json={"sql": sql})
    assert refused.status == 400
    assert refused.errors[0][0] == 7500
    assert "instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements" in refused.errors[0][1]


def test_foreign_keys_are_always_on_and_may_be_deferred(account: Account) -> None:
    database = account.database()
    account.query(
        database,
        "CREATE TABLE parent (id PRIMARY KEY);"
        "CREATE TABLE child (id REFERENCES parent (id)); PRAGMA foreign_keys = OFF",
    )
    path = f"/d1/database/{database}/query"
    refused = account.expect_refusal("POST", path, json={"sql": "INSERT INTO child VALUES (1)"})
    code, text = refused.errors[0]
    assert code == 7500
    assert text.startswith("FOREIGN KEY constraint failed: SQLITE_CONSTRAINT")
    account.query(
        database,
        "PRAGMA defer_foreign_keys = TRUE;"
        "INSERT INTO child VALUES (1); INSERT INTO parent VALUES (1)",
    )


@pytest.mark.parametrize(
    ("asked", "code", "text"),
    [
        ({"name": ""}, 7400, "name: must be a string of 1 to 64 characters"),
        (
            {"name": "a", "read_replication": None},
            7400,
            "read_replication: Expected object, received null",
        ),
        ({"name": "a b/c"}, 7400, "name: must match ^[a-zA-Z0-9_][a-zA-Z0-9._-]*$"),
        ({"name": "a", "jurisdiction": "mars"}, 7400, "jurisdiction: Invalid enum value: 'mars'"),
    ],
)
def test_a_database_with_a_wrong_property_is_refused(
    account: Account, asked: dict[str, Any], code: int, text: str
) -> None:
    refused = account.expect_refusal("POST", "/d1/database", json=asked)
    assert (refused.status, refused.errors) == (400, ((code, text),))


def test_a_name_is_unique_in_an_account_and_free_in_another(
    account: Account, cloud: Running
) -> None:
    account.database("orders")
    refused = account.expect_refusal("POST", "/d1/database", json={"name": "orders"})
    assert refused.status == 400
    assert refused.errors == ((7502, "A database with that name already exists"),)
    other = Account(cloud)
    assert other.call("GET", "/d1/database") == []
    other.database("orders")
    other.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("PUT", ""),
        ("POST", "/query"),
        ("GET", "/time_travel/bookmark"),
    ],
)
def test_an_unknown_database_is_not_found(account: Account, method: str, path: str) -> None:
    body = {"sql": "SELECT 1", "read_replication": {"mode": "auto"}}
    refused = account.expect_refusal(method, f"/d1/database/nothing{path}", json=body)
    assert refused.status == 404
    assert refused.errors[0][0] == 7404


def test_read_replication_is_set_afterwards(account: Account) -> None:
    path = f"/d1/database/{account.database()}"
    assert account.call("GET", path)["read_replication"] == {"mode": "disabled"}
    account.call("PUT", path, json={"read_replication": {"mode": "auto"}})
    assert account.call("GET", path)["read_replication"] == {"mode": "auto"}
    refused = account.expect_refusal("PUT", path, json={"read_replication": {"mode": "both"}})
    assert refused.errors[0][0] == 7400


def test_read_replication_is_set_on_creation(account: Account) -> None:
    asked = {"name": "orders", "read_replication": {"mode": "auto"}}
    made = account.call("POST", "/d1/database", json=asked)
    assert made["read_replication"] == {"mode": "auto"}


@pytest.mark.parametrize(
    ("given", "received"), [(None, "null"), ("auto", "string"), ([], "array"), (1, "number")]
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_read_replication_that_is_not_an_object_is_refused_and_changes_nothing(
    account: Account, method: str, given: object, received: str
) -> None:
    path = f"/d1/database/{account.database()}"
    account.call("PUT", path, json={"read_replication": {"mode": "auto"}})
    refused = account.expect_refusal(method, path, json={"read_replication": given})
    text = f"read_replication: Expected object, received {received}"
    assert (refused.status, refused.errors) == (400, ((7400, text),))
    assert account.call("GET", path)["read_replication"] == {"mode": "auto"}


def test_databases_are_listed_in_pages(account: Account) -> None:
    for number in range(3):
        account.database(f"db-{number}")
    body = account.http.get("/d1/database", params={"page": 2, "per_page": 2}).json()
    assert [each["name"] for each in body["result"]] == ["db-0"]
    assert body["result_info"] == {"page": 2, "per_page": 2, "count": 1, "total_count": 3}


def test_bookmarks_sort_by_time(account: Account) -> None:
    path = f"/d1/database/{account.database()}/time_travel/bookmark"
    bookmarks = [account.call("GET", path)["bookmark"] for _ in range(3)]
    assert bookmarks == sorted(set(bookmarks))
    refused = account.expect_refusal("GET", path, params={"timestamp": "2020-01-01T00:00:00Z"})
    assert refused.errors[0][0] == 7400


def test_a_file_is_imported_whole_or_not_at_all(account: Account) -> None:
    database = account.database()
    path = f"/d1/database/{database}/import"

    def import_file(sql: bytes) -> dict[str, Any]:
        etag = hashlib.md5(sql).hexdigest()
        announced = account.call("POST", path, json={"action": "init", "etag": etag})
        sent = request("PUT", announced["upload_url"], content=sql)
        assert sent.headers["etag"] == etag
        return {"action": "ingest", "etag": etag, "filename": announced["filename"]}

    good = import_file(b"CREATE TABLE t (a); INSERT INTO t VALUES (1), (2);")
    begun = account.call("POST", path, json=good)
    assert "status" not in begun
    poll = {"action": "poll", "current_bookmark": begun["at_bookmark"]}
    result = wait_until(lambda: find_end(account.call("POST", path, json=poll)))
    assert (result["status"], result["result"]["num_queries"]) == ("complete", 2)
    bad = account.call("POST", path, json=import_file(b"DELETE FROM t; SELECT missing;"))
    poll = {"action": "poll", "current_bookmark": bad["at_bookmark"]}
    failed = wait_until(lambda: find_end(account.call("POST", path, json=poll)))
    assert (failed["success"], failed["status"]) == (False, "error")
    assert failed["error"] == "no such column: missing at offset 7: SQLITE_ERROR"
    assert account.rows(database, "SELECT count(*) AS n FROM t") == [{"n": 2}]
    again = account.expect_refusal("POST", path, json=good)
    assert again.errors == ((7400, "filename: was not uploaded"),)
    for wrong in ({}, {"current_bookmark": begun["at_bookmark"]}):
        answer = account.call("POST", path, json={"action": "poll", **wrong})
        assert (answer["success"], answer["error"]) == (False, "Not currently importing anything.")
    assert account.expect_refusal("POST", path, json={"action": "x"}).errors[0][0] == 7400
    unknown = request("PUT", f"{account.root}/emulator/uploads/unknown.sql", content=b"")
    assert unknown.status_code == 404


def find_end(answer: dict[str, Any]) -> dict[str, Any] | None:
    return answer if "status" in answer else None


def test_every_answer_is_as_the_reference_says(account: Account) -> None:
    running = account.running
    with Cloudflare(
        base_url=running.base_url,
        api_token=running.token,
        max_retries=0,
        _strict_response_validation=True,
    ) as sdk:
        d1 = sdk.d1.database
        made = d1.create(
            account_id=account.id,
            name="orders",
            primary_location_hint="weur",
            read_replication={"mode": "auto"},
        )
        assert made.read_replication
        assert made.read_replication.mode == "auto"
        named = {"account_id": account.id, "database_id": str(made.uuid)}
        d1.get(**named)
        d1.edit(**named, read_replication={"mode": "disabled"})
        d1.update(**named, read_replication={"mode": "auto"})
        assert [each.name for each in d1.list(account_id=account.id)] == ["orders"]
        [result] = d1.query(**named, sql="SELECT ? AS a, ? AS b", params=["x", "1"])
        assert result.meta
        assert result.meta.served_by_region == "WEUR"
        assert list(d1.raw(**named, sql="SELECT 1 AS a"))
        begun = d1.export(**named, output_format="polling")
        done = d1.export(**named, output_format="polling", current_bookmark=str(begun.at_bookmark))
        assert done.status == "complete"
        etag = hashlib.md5(b"SELECT 1").hexdigest()
        upload = d1.import_(**named, action="init", etag=etag)
        request("PUT", str(upload.upload_url), content=b"SELECT 1")
        ingest = d1.import_(**named, action="ingest", etag=etag, filename=str(upload.filename))
        at = str(ingest.at_bookmark)
        wait_until(
            lambda: d1.import_(**named, action="poll", current_bookmark=at),
            lambda answer: answer.status == "complete",
        )
        mark = d1.time_travel.get_bookmark(**named)
        d1.time_travel.restore(**named, bookmark=str(mark.bookmark))
        d1.delete(**named)


def test_a_row_has_at_most_two_megabytes(account: Account) -> None:
    database = account.database()
    account.query(database, "CREATE TABLE t (a, b)")
    path, half = f"/d1/database/{database}/query", "x" * 1_150_000
    for sql, params in (
        ("INSERT INTO t VALUES (?, ?)", [half, half]),
        ("SELECT length(?)", [half + half]),
    ):
        refused = account.expect_refusal("POST", path, json={"sql": sql, "params": params})
        assert refused.errors == ((7500, "string or blob too big: SQLITE_TOOBIG"),)
    account.query(database, "INSERT INTO t VALUES (?, 1), (?, 2)", half, half)
    assert account.rows(database, "SELECT count(*) AS n FROM t") == [{"n": 2}]


ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c"


@pytest.mark.long
def test_a_long_query_is_ended_and_does_not_stop_other_databases(
    account: Account, cloud: Running
) -> None:
    database, other = account.database(), Account(cloud)
    fast = other.database()
    path = f"/d1/database/{database}/query"
    with ThreadPoolExecutor() as pool:
        ended = pool.submit(account.expect_refusal, "POST", path, json={"sql": ENDLESS})
        while not ended.done():
            other.query(fast, "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)")
    refused = ended.result()
    text = "D1 DB exceeded its CPU time limit and was reset."
    assert (refused.status, refused.errors) == (400, ((7429, text),))
    assert other.rows(fast, "SELECT count(*) > 100 AS many FROM t") == [{"many": 1}]
    assert account.rows(database, "SELECT 1 AS one") == [{"one": 1}]
    other.close()


def test_a_deleted_database_leaves_no_file(account: Account, cloud: Running) -> None:
    files = cloud.data / "runtime" / "d1" / "miniflare-D1DatabaseObject"
    database = account.database()
    account.query(database, "CREATE TABLE t (a); INSERT INTO t VALUES ('canary-of-the-deleted')")

    def list_files_with_canary() -> list[str]:
        found = [each for each in files.iterdir() if b"canary-of-the-deleted" in each.read_bytes()]
        return [each.name for each in found]

    assert list_files_with_canary()
    account.call("DELETE", f"/d1/database/{database}")
    assert not list_files_with_canary()
