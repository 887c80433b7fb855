"""Fault rules: a selected call fails in a selected way, and no other call does."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.emulator.emulated import Account
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.workerd

PATH = "/d1/database"


class Faults:
    """Rules for one account, removed at the end."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.made: list[int] = []

    def add(self, action: dict[str, Any], **match: Any) -> int:
        rule = {"action": action, "account": self.account.id, **match}
        number: int = self.account.control("POST", "/faults", json=rule)["id"]
        self.made.append(number)
        return number

    def count_fired(self, number: int) -> int:
        rules = self.account.control("GET", "/faults")
        return next(int(rule["fired"]) for rule in rules if rule["id"] == number)

    def remove(self, number: int) -> None:
        self.made.remove(number)
        self.account.control("DELETE", f"/faults/{number}")


@pytest.fixture
def faults(account: Account) -> Iterator[Faults]:
    rules = Faults(account)
    yield rules
    for number in list(rules.made):
        rules.remove(number)


def test_a_status_is_returned_and_nothing_is_done(account: Account, faults: Faults) -> None:
    action = {
        "kind": "answer",
        "status": 429,
        "code": 971,
        "message": "Please wait",
        "headers": {"Retry-After": "3"},
        "retry": False,
    }
    faults.add(action, method="POST", path="/accounts/*/d1/database", nth=2)
    account.database("one")
    response = account.http.post(PATH, json={"name": "two"})
    assert response.status_code == 429
    assert response.json()["errors"] == [{"code": 971, "message": "Please wait"}]
    assert response.headers["retry-after"] == "3"
    assert response.headers["x-should-retry"] == "false"
    account.database("three")
    names = [each["name"] for each in account.call("GET", PATH)]
    assert names == ["three", "one"]


def test_a_connection_is_cut_before_anything_is_done(account: Account, faults: Faults) -> None:
    faults.add({"kind": "cut"}, method="POST", pattern="d1/database$", nth=1)
    with pytest.raises(httpx.TransportError):
        account.http.post(PATH, json={"name": "one"})
    assert account.call("GET", PATH) == []
    assert account.log()[0]["status"] is None


def test_an_answer_is_lost_after_everything_was_done(account: Account, faults: Faults) -> None:
    faults.add({"kind": "lose"}, method="POST", nth=1)
    with pytest.raises(httpx.TransportError):
        account.http.post(PATH, json={"name": "one"})
    assert [each["name"] for each in account.call("GET", PATH)] == ["one"]


@pytest.mark.parametrize("done", [False, True])
def test_the_emulator_is_silent_until_the_client_gives_up(
    account: Account, faults: Faults, done: bool
) -> None:
    number = faults.add({"kind": "silence", "done": done}, method="POST", nth=1)
    with pytest.raises(httpx.ReadTimeout):
        account.http.post(PATH, json={"name": "one"}, timeout=httpx.Timeout(PATIENCE, read=0.2))
    # The client may give up before the call has arrived.
    wait_until(lambda: faults.count_fired(number))
    wait_until(lambda: [each["name"] for each in account.call("GET", PATH)] == ["one"] * done)
    account.database("two")


def test_a_call_is_delayed(account: Account, faults: Faults) -> None:
    number = faults.add({"kind": "delay", "seconds": 0.3}, times=1)
    began = time.monotonic()
    account.call("GET", PATH)
    assert time.monotonic() - began >= 0.3
    account.call("GET", PATH)
    rules = {rule["id"]: rule for rule in account.control("GET", "/faults")}
    assert (rules[number]["seen"], rules[number]["fired"]) == (2, 1)


@pytest.mark.parametrize("end", ["release", "delete"])
def test_a_held_call_continues_when_its_rule_is_released(
    account: Account, faults: Faults, end: str
) -> None:
    number = faults.add({"kind": "hold"}, method="POST")
    done = threading.Event()

    def create() -> None:
        account.database("held")
        done.set()

    thread = threading.Thread(target=create)
    thread.start()
    assert not done.wait(0.2)
    assert account.call("GET", PATH) == []
    if end == "release":
        account.control("POST", f"/faults/{number}/release")
    else:
        faults.remove(number)
    assert done.wait(PATIENCE)
    thread.join()
    assert [each["name"] for each in account.call("GET", PATH)] == ["held"]


def test_rules_of_an_account_do_not_affect_others(account: Account, faults: Faults) -> None:
    faults.add({"kind": "answer", "status": 500})
    other = Account(account.running)
    assert other.call("GET", PATH) == []
    assert account.expect_refusal("GET", PATH).status == 500
    other.close()


def test_rules_count_what_they_see(account: Account, faults: Faults) -> None:
    number = faults.add({"kind": "answer", "status": 500}, nth=2, times=2)
    statuses = [account.http.get(PATH).status_code for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    rules = account.control("GET", "/faults")
    rule = next(each for each in rules if each["id"] == number)
    assert (rule["seen"], rule["fired"]) == (4, 2)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"action": {"kind": "explode"}},
        {"action": {"kind": "answer"}},
        {"action": {"kind": "cut"}, "nth": 0},
        {"action": {"kind": "cut"}, "unknown": 1},
    ],
)
def test_an_invalid_rule_is_refused(account: Account, rule: dict[str, Any]) -> None:
    response = account.ask_control("POST", "/faults", json=rule)
    assert response.status_code == 400
    assert response.json()["problems"]
