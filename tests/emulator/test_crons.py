"""Cron triggers: which are accepted, and that they run when they are due."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.emulated import Account, emulator
from tests.emulator.test_process import same_account
from tests.support.waiting import wait_until

pytestmark = pytest.mark.workerd

WORKER = """
export default {
  async scheduled({ cron, scheduledTime }, env) {
    await env.DB.prepare("INSERT INTO t VALUES (?, ?)").bind(cron, scheduledTime).run();
  },
};
"""
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def put_crons(account: Account, script: str, *crons: str) -> list[str]:
    body = [{"cron": cron} for cron in crons]
    answer = account.call("PUT", f"/workers/scripts/{script}/schedules", json=body)
    return [schedule["cron"] for schedule in answer["schedules"]]


def put_worker(account: Account) -> str:
    database = account.database()
    account.query(database, "CREATE TABLE t (cron, time)")
    account.put("app", WORKER, bindings=[{"type": "d1", "name": "DB", "id": database}])
    return database


def set_time(account: Account, moment: datetime) -> list[Any]:
    body = {"account": account.id, "time": milliseconds(moment)}
    ran = account.control("PUT", "/clock", json=body)["ran"]
    return [(each["cron"], each["time"], each["outcome"]) for each in ran]


@pytest.mark.parametrize(
    "cron",
    ["a b c d e", "0 20 * * 0", "0 22 * * 0-4", "61 * * * *", "0 0 32 * *", "*/0 * * * *", "0 0"],
)
def test_an_expression_against_the_rules_is_refused(account: Account, cron: str) -> None:
    account.put("app")
    refused = account.expect_refusal(
        "PUT", "/workers/scripts/app/schedules", json=[{"cron": "* * * * *"}, {"cron": cron}]
    )
    assert (refused.status, refused.errors) == (400, ((10100, f"invalid cron string: {cron}"),))
    assert account.call("GET", "/workers/scripts/app/schedules") == {"schedules": []}


def test_an_expression_that_is_there_twice_is_refused(account: Account) -> None:
    account.put("app")
    assert put_crons(account, "app", "0  0 * * SUN", "5/10 * L * *") == [
        "0 0 * * SUN",
        "5/10 * L * *",
    ]
    body = [{"cron": "0 0 * * *"}, {"cron": "0 0 *  * *"}]
    refused = account.expect_refusal("PUT", "/workers/scripts/app/schedules", json=body)
    assert refused.errors == ((10100, "duplicate cron found: 0 0 * * *"),)


def test_triggers_run_once_for_all_times_that_a_set_clock_passes(account: Account) -> None:
    database = put_worker(account)
    put_crons(account, "app", "*/5 * * * *", "0 11 * * *", "0 13 31 12 *")
    set_time(account, NOON.replace(hour=10, minute=1))
    account.query(database, "DELETE FROM t")
    assert set_time(account, NOON.replace(hour=10, minute=4)) == []
    eleven, noon = milliseconds(NOON.replace(hour=11)), milliseconds(NOON)
    ran = set_time(account, NOON)
    assert ran == [("*/5 * * * *", noon, "ok"), ("0 11 * * *", eleven, "ok")]
    assert account.rows(database, "SELECT * FROM t ORDER BY time") == [
        {"cron": "0 11 * * *", "time": eleven},
        {"cron": "*/5 * * * *", "time": noon},
    ]
    assert set_time(account, NOON.replace(hour=9)) == []
    account.put("app", "export default { scheduled() { throw new Error('no'); } };")
    set_time(account, NOON)
    account.control("DELETE", f"/clock?account={account.id}")
    refused = account.ask_control("PUT", "/clock", json={"account": account.id, "time": -1})
    assert refused.status_code == 400


def test_a_handler_that_throws_is_reported(account: Account) -> None:
    account.put("app", "export default { scheduled() { throw new Error('no'); } };")
    put_crons(account, "app", "0 * * * *")
    assert [outcome for _, _, outcome in set_time(account, NOON)] == ["exception"]


@pytest.mark.long  # a trigger is due only at the next minute
def test_triggers_run_by_the_clock_after_a_restart(tmp_path: Path) -> None:
    with emulator(tmp_path) as running, closing(Account(running)) as account:
        database = put_worker(account)
        put_crons(account, "app", "* * * * *")
    started = milliseconds(datetime.now(UTC))
    with emulator(tmp_path) as running, same_account(running, account.id) as again:
        sql = f"SELECT time FROM t WHERE time > {started}"
        (row, *_) = wait_until(lambda: again.rows(database, sql))
        assert row["time"] % 60_000 == 0
