"""The limit on calls: counted for each token, reported in headers, followed by a block."""

import httpx
import pytest

from flowflare.emulator.rate_limit import Limit, RateLimit
from tests.emulator.emulated import Account, bearer, get


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_calls_beyond_the_limit_are_refused_for_five_minutes() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    verdicts = [limit.count("a") for _ in range(1_200)]
    assert not any(each.refused for each in verdicts)
    assert verdicts[0].headers == {
        "ratelimit": '"default";r=1199;t=300',
        "ratelimit-policy": '"default";q=1200;w=300',
    }
    clock.now += 100
    refused = limit.count("a")
    assert refused.refused
    assert refused.headers["retry-after"] == "300"
    assert not limit.count("b").refused
    clock.now += 299
    assert limit.count("a").headers["retry-after"] == "1"
    clock.now += 1
    assert limit.count("a").headers["ratelimit"] == '"default";r=1199;t=300'


def test_a_window_ends_by_itself() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    limit.set(Limit(calls=2, seconds=10))
    assert [limit.count("a").refused for _ in range(2)] == [False, False]
    clock.now += 10
    assert not limit.count("a").refused


def test_a_token_may_have_its_own_limit_or_none() -> None:
    limit = RateLimit(Clock())
    limit.set(Limit(calls=None))
    limit.set(Limit(calls=1, token="a"))
    assert limit.count("b").headers == {}
    assert [limit.count("a").refused for _ in range(2)] == [False, True]
    limit.reset()
    assert limit.all() == [Limit()]


@pytest.mark.workerd
def test_clients_see_the_limit_and_are_refused(account: Account) -> None:
    token = account.control("POST", "/tokens")["token"]
    headers = bearer(token)
    rule = {"calls": 2, "seconds": 60, "block": 0.2, "token": token}
    account.control("PUT", "/rate-limit", json=rule)

    def ask() -> httpx.Response:
        return get(f"{account.running.base_url}/accounts/{account.id}", headers=headers)

    assert [ask().headers["ratelimit"] for _ in range(2)] == [
        '"default";r=1;t=60',
        '"default";r=0;t=60',
    ]
    refused = ask()
    assert refused.status_code == 429
    assert refused.json()["errors"][0]["code"] == 971
    assert refused.headers["retry-after"] == "1"
    entry = account.log()[-1]
    assert (entry["status"], entry["codes"]) == (429, [971])
    account.call("GET", "/workers/scripts")
    wrong = account.ask_control("PUT", "/rate-limit", json={"calls": 0})
    assert wrong.status_code == 400
