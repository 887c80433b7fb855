"""The account's budget: never exceeded, fair among stacks and machines, and waits are reported."""

import asyncio
import bisect
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowflare.api.budget import Budget
from flowflare.fleet.forwarder.app import App
from flowflare.fleet.forwarder.limit import CallLimit
from flowflare.fleet.forwarder.state import BudgetEvent
from flowflare.fleet.forwarder.turns import MOST_AT_ONCE, HeldTooLong, Turns
from tests.unit.fleet.forwarder.virtual_time import Account, ask, run

PATIENT = {"x_stainless_lang": "go"}


def most_in_a_window(moments: list[float], window: float = 300.0) -> int:
    ordered = sorted(moments)
    return max(
        bisect.bisect_right(ordered, start + window) - index for index, start in enumerate(ordered)
    )


async def call_often(app: App, stack: str, calls: int, at_once: int = 4) -> None:
    """Make one tenant's calls, a few at a time, and retry refused calls."""
    left = iter(range(calls))

    async def call_in_order() -> None:
        for _ in left:
            while (await ask(app, stack, **PATIENT)).status != 200:
                await asyncio.sleep(1)

    await asyncio.gather(*(call_in_order() for _ in range(at_once)))


def test_2400_calls_of_8_stacks_never_exceed_1100_in_5_minutes() -> None:
    account = Account()
    app = account.machine()

    async def story() -> None:
        await asyncio.gather(*(call_often(app, f"t{number}", 300) for number in range(8)))

    run(story())
    assert len(account.moments) == 2400
    # A call in progress counts in the window, and may reduce a response's remaining calls, too.
    assert 1100 - MOST_AT_ONCE <= most_in_a_window(account.moments) <= 1100
    assert account.refused == 0
    counts = app.tally.counts()
    assert {stack: count.reads for stack, count in counts.items()} == {
        f"t{number}": 300 for number in range(8)
    }
    assert 0 < sum(count.held for count in counts.values()) < 2400
    assert max(account.moments) == pytest.approx(600, abs=60)


def test_eight_machines_stay_below_the_limit_that_responses_state() -> None:
    """Each machine only knows the `Ratelimit` headers of its own responses."""
    account = Account()
    machines = [account.machine() for _ in range(8)]

    async def story() -> None:
        await asyncio.gather(*(call_often(app, "t", 300, at_once=40) for app in machines))

    run(story())
    assert len(account.moments) == 2400
    assert account.refused == 0


def test_a_stack_with_one_call_does_not_wait_for_a_stack_with_many() -> None:
    account = Account(latency=1.0)
    app = account.machine(CallLimit(calls=110, window=10.0, reserve=10))
    waited: dict[str, float] = {}

    async def small() -> None:
        await asyncio.sleep(5)
        since = asyncio.get_running_loop().time()
        await ask(app, "small", **PATIENT)
        waited["small"] = asyncio.get_running_loop().time() - since

    async def story() -> None:
        many = call_often(app, "large", 500, at_once=250)
        await asyncio.gather(many, small())

    run(story())
    # The stack gets the next turn, although hundreds of calls were queued earlier.
    assert waited["small"] < 10
    assert most_in_a_window(account.moments, 10.0) <= 100


def test_stacks_take_turns() -> None:
    account = Account(calls=100_000)
    app = account.machine(CallLimit(calls=20, window=10.0, reserve=0))

    async def story() -> None:
        calls = [
            ask(app, stack, f"/{stack}", **PATIENT) for stack in ["a"] * 60 + ["b"] * 5 + ["c"]
        ]
        await asyncio.gather(*calls)

    run(story())
    second_window = [path.rpartition("/")[2] for path in account.asked[20:40]]
    assert Counter(second_window) == {"a": 14, "b": 5, "c": 1}


def test_a_retry_after_of_the_api_pauses_every_call() -> None:
    account = Account(calls=2)
    app = account.machine(CallLimit(calls=None, reserve=0))

    async def story() -> list[int]:
        first = await ask(app, **PATIENT)
        assert account.rate is not None
        for _ in range(2):  # calls of another program, the second of which exceeds the limit
            account.rate.count("token")
        refused = await ask(app, "other", **PATIENT)
        since = asyncio.get_running_loop().time()
        last = await ask(app, "acme", **PATIENT)
        assert asyncio.get_running_loop().time() - since >= 299
        return [first.status, refused.status, last.status]

    assert run(story()) == [200, 429, 200]


def test_waiting_is_reported_once_with_its_seconds() -> None:
    events: list[BudgetEvent] = []
    account = Account()
    app = account.machine(CallLimit(calls=10, window=60.0, reserve=0), events.append)

    async def story() -> None:
        await asyncio.gather(*(ask(app, f"t{number % 2}", **PATIENT) for number in range(18)))

    run(story())
    assert [event.kind for event in events] == ["waiting", "resumed"]
    assert events[0].seconds == pytest.approx(60, abs=1)
    assert events[0].waiting == {"t0": 4, "t1": 4}
    assert events[1].seconds == pytest.approx(60, abs=1)


def test_a_program_that_waits_less_than_the_budget_needs_gets_a_retry_after() -> None:
    account = Account(calls=100_000)
    app = account.machine(CallLimit(calls=1, window=300.0, reserve=0))

    async def story() -> None:
        await ask(app)
        loop = asyncio.get_running_loop()
        since = loop.time()
        answer = await ask(app, x_stainless_read_timeout="60")
        assert loop.time() - since == pytest.approx(55, abs=0.1)
        assert answer.status == 429
        assert answer.headers["retry-after"] == "55"
        assert "the account's calls are used up" in answer.error()

    run(story())
    assert len(account.moments) == 1


def test_a_client_that_disconnects_frees_its_place() -> None:
    account = Account(calls=100_000)
    app = account.machine(CallLimit(calls=1, window=10.0, reserve=0))

    async def story() -> None:
        await ask(app)
        gone = ask(app, path="/gone", gone_after=1.0, **PATIENT)
        stays = ask(app, path="/stays", **PATIENT)
        answers = await asyncio.gather(gone, stays)
        assert [answer.status for answer in answers] == [0, 200]

    run(story())
    assert account.asked == ["/client/v4/accounts/a/x", "/client/v4/stays"]


def test_a_burst_is_not_sent_at_once() -> None:
    """The first responses may report the calls of other machines, and so delay the last calls."""

    async def story() -> int:
        turns = Turns(Budget(asyncio.get_running_loop().time, lambda _: None))
        tasks = [asyncio.create_task(turns.take("a", 100)) for _ in range(100)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        sending = turns.sending
        for _ in tasks:
            turns.give()
        await asyncio.gather(*tasks)
        return sending

    assert run(story()) == MOST_AT_ONCE


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),  # the stack
            st.floats(0, 20),  # seconds before the call
            st.floats(0, 10),  # seconds that the call takes
            st.floats(0.1, 80),  # seconds that its program waits
        ),
        max_size=40,
    ),
    st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_no_window_exceeds_the_limit_and_no_call_is_forgotten(
    calls: list[tuple[int, float, float, float]], limit: int
) -> None:
    spans: list[tuple[float, float]] = []
    waits: list[tuple[float, float]] = []
    refused = 0

    async def story() -> None:
        loop = asyncio.get_running_loop()
        turns = Turns(Budget(loop.time, lambda _: None, calls=limit, window=30.0))

        async def call(stack: int, before: float, takes: float, patience: float) -> None:
            nonlocal refused
            await asyncio.sleep(before)
            since = loop.time()
            try:
                await turns.take(str(stack), patience)
            except HeldTooLong:
                refused += 1
                waits.append((loop.time() - since, patience))
                return
            sent = loop.time()
            await asyncio.sleep(takes)
            spans.append((sent, loop.time()))
            turns.give()

        await asyncio.gather(*(call(*arguments) for arguments in calls))
        assert turns.waiting() == {}
        assert turns.sending == 0

    run(story())
    assert len(spans) + refused == len(calls)
    assert all(waited == pytest.approx(patience) for waited, patience in waits)
    # The API may count a call at any moment while it is in progress; this is the worst case.
    for begin, _ in spans:
        assert sum(first <= begin <= last + 30.0 for first, last in spans) <= limit
