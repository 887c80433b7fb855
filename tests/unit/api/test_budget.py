"""The budget of one token: 1,200 calls of all clients in any 5 minutes, and the API's headers."""

import bisect
import itertools

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowflare.api import Connector, describe_wait
from flowflare.api.budget import Budget, Others, read_policies
from tests.unit.api.fake_time import TOKEN, Api, FakeTime, answer

URL = "http://127.0.0.1:1/client/v4"


def most_in_a_window(moments: list[float], window: float) -> int:
    """Return the most moments in any window of that length, including both ends."""
    ordered = sorted(moments)
    return max(
        bisect.bisect_right(ordered, start + window) - index for index, start in enumerate(ordered)
    )


def test_two_thousand_calls_never_exceed_1200_in_5_minutes() -> None:
    api = Api([answer()])
    client = api.client()
    for _ in range(2000):
        client.call("GET", "/x")
    assert most_in_a_window(api.moments, 300.0) == 1200
    assert api.time.seconds == pytest.approx(300, abs=1)


@given(
    st.lists(
        st.tuples(st.floats(0, 40), st.floats(0, 20)),  # time before a call, and for its answer
        max_size=60,
    ),
    st.integers(1, 5),
)
@settings(max_examples=200, deadline=None)
def test_the_api_never_sees_more_than_the_limit(
    calls: list[tuple[float, float]], limit: int
) -> None:
    time = FakeTime()
    budget = Budget(time.clock, time.sleep, calls=limit, window=30.0)
    earliest, latest = [], []
    for idle, duration in calls:
        time.seconds += idle
        budget.begin()
        earliest.append(time.seconds)
        time.seconds += duration
        budget.end()
        latest.append(time.seconds)
    # The API may see a call at any moment between its two ends; this is the worst of all choices.
    for first, last in itertools.combinations(range(len(calls)), 2):
        if last - first >= limit:
            assert earliest[last] - latest[first] > 30.0


def test_calls_in_flight_count() -> None:
    time = FakeTime()

    def wait(seconds: float) -> None:
        time.sleep(seconds)
        if len(time.slept) == 1:
            budget.end()

    budget = Budget(time.clock, wait, calls=2)
    for _ in range(3):
        budget.begin()
    assert time.seconds > 300


def test_clients_of_one_token_share_it_and_others_do_not() -> None:
    time = FakeTime()
    sent: list[str] = []

    def send(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"][-1])
        return answer()

    connector = Connector(time.pace(calls=3), transport=lambda: httpx.MockTransport(send))
    own = connector.open(URL, TOKEN)
    again = connector.open(URL, TOKEN, pace=time.pace())
    other = connector.open(URL, TOKEN[:-1] + "1")
    for client in (own, again, other, own, other, other):
        client.call("GET", "/x")
    assert time.slept == []
    again.call("GET", "/x")
    assert sum(time.slept) == pytest.approx(300, abs=0.01)


def test_responses_report_what_other_machines_use() -> None:
    api = Api([answer(ratelimit='"default";r=1;t=30'), answer(), answer()])
    client = api.client()
    for _ in range(3):
        client.call("GET", "/x")
    assert api.moments == [0.0, 0.0, pytest.approx(30.0)]


def test_a_client_that_exceeds_the_limit_delays_the_others() -> None:
    api = Api([answer(429, retry_after="3600"), answer()])
    client = api.client()
    with pytest.raises(Exception, match="HTTP 429"):
        client.call("GET", "/x")
    client.call("GET", "/y")
    assert api.moments[1] - api.moments[0] == pytest.approx(300.0)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('"default";r=50;t=30', [("default", 50, 30.0)]),
        ('"burst";r=0;t=3, "default";t=2;r=1', [("burst", 0, 3.0), ("default", 1, 2.0)]),
        ("default; r=5; t=6", [("default", 5, 6.0)]),
        ('"default";r=50', []),
        ('"default";r=-1;t=30', []),
        ("limit=100, remaining=50, reset=50", []),
        ("", []),
        (";;;,,,=", []),
    ],
)
def test_the_header_is_parsed(header: str, found: list[tuple[str, int, float]]) -> None:
    assert read_policies(header) == found


@given(st.text())
def test_a_malformed_header_is_ignored(header: str) -> None:
    for name, calls, seconds in read_policies(header):
        assert name
        assert calls >= 0
        assert seconds >= 0


def test_a_long_wait_is_reported_once_for_all_waiting_calls_and_a_short_one_is_not() -> None:
    api = Api([answer(ratelimit='"default";r=0;t=40'), answer(ratelimit='"default";r=0;t=1')])
    told: list[float] = []
    connector = api.connector()
    client = connector.open(URL, TOKEN)
    with connector.telling(told.append):
        for _ in range(3):
            client.call("GET", "/x")
    assert told == [40.0]
    assert api.time.seconds == pytest.approx(41)
    assert "waiting 40 s: the account's calls are used up" in describe_wait(39.2)


def test_a_refused_call_reports_how_long_it_waits() -> None:
    api = Api([answer(429, retry_after="300"), answer()])
    told: list[float] = []
    connector = api.connector()
    with connector.telling(told.append):
        connector.open(URL, TOKEN).call("GET", "/x")
    assert told == [300.0]


def test_a_share_of_every_reported_limit_is_reserved() -> None:
    time = FakeTime()
    budget = Budget(time.clock, time.sleep, calls=12, window=10.0, others=Others(reserve=2))
    assert budget.count_remaining() == 10
    for _ in range(10):
        assert budget.attempt() == 0
    assert budget.attempt() > 0
    for _ in range(10):
        budget.end()
    time.seconds = 11
    assert budget.attempt() == 0
    told = {"ratelimit": '"burst";r=3;t=5', "ratelimit-policy": '"burst";q=6;w=10'}
    budget.end(told)  # a sixth of six is one
    assert budget.count_remaining() == 2
    assert (budget.forecast(2), budget.forecast(3)) == (0, 5)


@given(st.lists(st.floats(0, 3), max_size=30), st.integers(1, 6), st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_a_forecast_matches_what_happens(idle: list[float], limit: int, more: int) -> None:
    """Calls that take no time are all sent when forecast, within the rounding of a wait."""
    time = FakeTime()
    budget = Budget(time.clock, time.sleep, calls=limit, window=30.0)
    for seconds in idle:
        time.seconds += seconds
        budget.begin()
        budget.end()
    said, since = budget.forecast(more), time.seconds
    for _ in range(more):
        budget.begin()
        budget.end()
    assert time.seconds - since == pytest.approx(said, abs=0.01 * more)


def test_fewer_calls_are_in_flight_when_fewer_calls_are_left() -> None:
    """Eight machines that read the same number must not spend it eight times."""
    time = FakeTime()
    budget = Budget(time.clock, time.sleep, others=Others(machines=8))
    for left, at_once in ((400, 50), (100, 12), (8, 1), (1, 1)):
        assert budget.attempt() == 0
        budget.end({"ratelimit": f'"default";r={left};t=60'})
        sent = 0
        while budget.attempt() == 0:
            sent += 1
        assert sent == at_once
        for _ in range(sent):
            budget.end()
        time.seconds += 61
