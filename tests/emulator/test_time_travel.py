"""Time Travel: a database is restored to a bookmark or a time, and Workers see it."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, get

pytestmark = pytest.mark.workerd

COUNTER = """
export default {
  async fetch(request, env) {
    if (request.url.endsWith('/add')) await env.DB.exec("INSERT INTO t VALUES ('worker')");
    return Response.json((await env.DB.prepare('SELECT count(*) AS n FROM t').first()).n);
  },
};
"""


def bookmark(account: Account, database: str, **query: Any) -> str:
    path = f"/d1/database/{database}/time_travel/bookmark"
    mark: str = account.call("GET", path, params=query)["bookmark"]
    return mark


def restore(account: Account, database: str, **query: Any) -> dict[str, str]:
    path = f"/d1/database/{database}/time_travel/restore"
    answer: dict[str, str] = account.call("POST", path, params=query)
    return answer


def count(account: Account, database: str) -> int:
    number: int = account.rows(database, "SELECT count(*) AS n FROM t")[0]["n"]
    return number


def test_data_and_schema_are_restored_to_a_bookmark_and_back(account: Account) -> None:
    database = account.database()
    account.query(database, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    mark = bookmark(account, database)
    account.query(database, "INSERT INTO t VALUES (2); CREATE TABLE late (b)")
    answer = restore(account, database, bookmark=mark)
    assert answer.keys() == {"bookmark", "previous_bookmark", "message"}
    assert mark < answer["previous_bookmark"] < answer["bookmark"]
    assert count(account, database) == 1
    assert account.call("GET", f"/d1/database/{database}")["num_tables"] == 1
    account.query(database, "INSERT INTO t VALUES (3)")
    restore(account, database, bookmark=answer["previous_bookmark"])
    assert account.rows(database, "SELECT a FROM t") == [{"a": 1}, {"a": 2}]
    assert account.rows(database, "PRAGMA quick_check") == [{"quick_check": "ok"}]


def test_a_time_restores_the_content_of_that_time(account: Account) -> None:
    database = account.database()
    account.query(database, "CREATE TABLE t (a)")
    moments = []
    for number in range(3):
        account.query(database, "INSERT INTO t VALUES (?)", number)
        time.sleep(0.01)
        moments.append(datetime.now(UTC).isoformat())
        time.sleep(0.01)
    restore(account, database, timestamp=moments[1])
    assert count(account, database) == 2
    restore(account, database, bookmark=bookmark(account, database, timestamp=moments[0]))
    assert count(account, database) == 1


def test_workers_write_before_and_see_after(account: Account) -> None:
    database = account.database()
    account.query(database, "CREATE TABLE t (a)")
    account.put("app", COUNTER, bindings=[{"type": "d1", "name": "DB", "id": database}])
    url = account.enable("app")
    assert get(f"{url}/add").json() == 1
    mark = bookmark(account, database)
    assert get(f"{url}/add").json() == 2
    restore(account, database, bookmark=mark)
    assert get(url).json() == 1
    assert get(f"{url}/add").json() == 2


def test_the_official_sdk_restores(account: Account, cloud: Running) -> None:
    from cloudflare import Cloudflare

    database = account.database()
    account.query(database, "CREATE TABLE t (a)")
    with Cloudflare(base_url=cloud.base_url, api_token=cloud.token, max_retries=0) as sdk:
        travel = sdk.d1.database.time_travel
        mark = travel.get_bookmark(database, account_id=account.id).bookmark
        assert mark
        account.query(database, "DROP TABLE t")
        answer = travel.restore(database, account_id=account.id, bookmark=mark)
        assert answer.previous_bookmark
    assert count(account, database) == 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "bookmark or timestamp: Required"),
        ({"bookmark": "nonsense"}, "bookmark: Invalid bookmark: nonsense"),
        ({"timestamp": "yesterday"}, "timestamp: Invalid time: yesterday"),
        ({"timestamp": "2020-01-01T00:00:00Z"}, "timestamp: is before the database was created"),
    ],
)
def test_a_moment_outside_the_history_is_refused(
    account: Account, query: dict[str, str], said: str
) -> None:
    path = f"/d1/database/{account.database()}/time_travel/restore"
    assert account.expect_refusal("POST", path, params=query).errors == ((7400, said),)


def test_a_bookmark_of_another_database_is_refused(account: Account) -> None:
    one, other = account.database("one"), account.database("other")
    path = f"/d1/database/{one}/time_travel/restore"
    refused = account.expect_refusal("POST", path, params={"bookmark": bookmark(account, other)})
    assert refused.errors[0][0] == 7400
