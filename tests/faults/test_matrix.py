"""Every call of a first `up`, an update and a `destroy` meets every trouble, once and for good."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowflare.errors import UpdateFailed
from tests.e2e.conftest import ROOT
from tests.e2e.conftest import cloudflare as cloudflare  # noqa: PLC0414 -- a fixture
from tests.e2e.embedded import Cloudflare
from tests.faults.outage import MORE, TROUBLES, Call, Outage, Trouble, Waits, calls_of, outage
from tests.faults.shop import Shop, inventory, make_shop, state_of

pytestmark = pytest.mark.workerd

TRACKING = "local-flowflare-db"
ARCHIVE = "local-flowflare-orders-archive"


@dataclass(frozen=True)
class End:
    """What an account without any trouble ends with: its inventory, and the state."""

    held: dict[str, Any]
    state: dict[str, Any]


@dataclass(frozen=True)
class Calm:
    """Runs without any trouble: their calls, and what they end with."""

    up: tuple[Call, ...]
    update: tuple[Call, ...]
    destroy: tuple[Call, ...]
    first: End
    second: End


@pytest.fixture(scope="module")
def calm(cloudflare: Cloudflare, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    shop = make_shop(tmp_path_factory.mktemp("calm") / "shop", cloudflare)
    up = _calls(shop, lambda: run(shop, "up"))
    first = end_of(shop)
    shop.become(2)
    update = _calls(shop, lambda: run(shop, "up"))
    second = end_of(shop)
    destroy = _calls(shop, lambda: run(shop, "destroy"))
    return Calm(up, update, destroy, first, second)


def _calls(shop: Shop, do: Callable[[], object]) -> tuple[Call, ...]:
    since = shop.account.last_request()
    do()
    return calls_of(shop, since)


def end_of(shop: Shop) -> End:
    return End(inventory(shop), state_of(shop))


def run(shop: Shop, do: str, during: Outage | None = None) -> None:
    """Runs `up` or `destroy`, with or without a trouble."""
    getattr(shop.stack(during.api if during else Waits().api()), do)()


@dataclass
class Score:
    """What was tried, and what did not end as it must."""

    tried: int = 0
    failed_runs: int = 0
    problems: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.process_time)

    def case(self, name: str, do: Callable[[], bool]) -> bool:
        """Counts a case; `do` says whether the run with the trouble failed."""
        self.tried += 1
        try:
            self.failed_runs += do()
        except Exception as error:  # noqa: BLE001 -- all that goes wrong is told together
            self.problems.append(f"{name}: {type(error).__name__}: {error}")
            return False
        return True

    def tell(self, name: str) -> None:
        """Writes the numbers into build/faults and fails for what went wrong."""
        told = {
            "tried": self.tried,
            "survived": self.tried - len(self.problems),
            "runs that failed and were repeated": self.failed_runs,
            "seconds of CPU": round(time.process_time() - self.began, 1),
        }
        folder = ROOT / "build" / "faults"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name.replace(' ', '-')}.json").write_text(json.dumps(told) + "\n")
        print(f"faults, {name}: {told}")  # noqa: T201 -- pytest shows it with -s and -rP
        assert not self.problems, "\n\n".join(self.problems)


def fails(shop: Shop, do: str, trouble: Trouble, call: Call) -> bool:
    """Runs while a call meets a trouble for good; whether the run failed."""
    said = ""
    with outage(shop, trouble, call) as during:
        try:
            run(shop, do, during)
        except UpdateFailed as error:
            said = str(error)
        assert sum(during.met()) > 0, "the call was not made"
    assert not said or "tried 3 times" in said, said
    return bool(said)


def assert_ended(shop: Shop, end: End) -> None:
    """The account and the state are as without trouble, and a further run has nothing to do."""
    assert inventory(shop) == end.held
    assert state_of(shop) == end.state
    last = shop.account.last_request()
    run(shop, "up")
    assert shop.account.writes(since=last) == []


def assert_nothing(shop: Shop) -> None:
    assert shop.account.holds_nothing()
    assert inventory(shop)["namespaces"] == []
    assert state_of(shop) == {}


def trade(shop: Shop) -> None:
    """Writes rows that must not be lost."""
    shop.query(TRACKING, "INSERT INTO workflow (name) VALUES ('kept')")
    shop.query(ARCHIVE, "INSERT INTO page1 (text) VALUES ('kept')")


def namespaces(shop: Shop) -> set[str]:
    """Ids of the namespaces, which objects and their storage hang on."""
    return {one["id"] for one in shop.account.get("/workers/durable_objects/namespaces")}


def assert_kept(shop: Shop, before: set[str]) -> None:
    """The rows of `trade` are there, and so are the namespaces."""
    assert [one["name"] for one in shop.query(TRACKING, "SELECT name FROM workflow")] == ["kept"]
    assert [one["text"] for one in shop.query(ARCHIVE, "SELECT text FROM page1")] == ["kept"]
    assert before <= namespaces(shop)


class Life:
    """One account: a first `up`, an update and a `destroy`, each with a trouble of its own."""

    def __init__(self, shop: Shop, calm: Calm, trouble: Trouble) -> None:
        self._shop = shop
        self._calm = calm
        self._trouble = trouble

    def up(self, call: Call) -> bool:
        failed = fails(self._shop, "up", self._trouble, call)
        if failed:
            run(self._shop, "up")
        assert_ended(self._shop, self._calm.first)
        return failed

    def update(self, call: Call) -> bool:
        shop = self._shop
        trade(shop)
        before = namespaces(shop)
        shop.become(2)
        failed = fails(shop, "up", self._trouble, call)
        assert_kept(shop, before)
        if failed:
            run(shop, "up")
        assert_ended(shop, self._calm.second)
        assert_kept(shop, before)
        return failed

    def destroy(self, call: Call) -> bool:
        failed = fails(self._shop, "destroy", self._trouble, call)
        if failed:
            run(self._shop, "destroy")
        assert_nothing(self._shop)
        return failed


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(
            trouble, id=trouble.name, marks=pytest.mark.xdist_group(f"faults-{number % 2}")
        )
        for number, trouble in enumerate(TROUBLES)
    ],
)
def test_a_trouble_that_lasts_is_got_over_by_the_next_run(
    trouble: Trouble, calm: Calm, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    score = Score()
    for number, first in enumerate(calm.up):
        life = Life(make_shop(tmp_path / str(number), cloudflare), calm, trouble)
        going = score.case(f"up, {first}", lambda: life.up(first))  # noqa: B023
        if going and number < len(calm.update):
            call = calm.update[number]
            going = score.case(f"update, {call}", lambda: life.update(call))  # noqa: B023
            if going and number < len(calm.destroy):
                call = calm.destroy[number]
                score.case(f"destroy, {call}", lambda: life.destroy(call))  # noqa: B023
    assert len(calm.destroy) <= len(calm.update) <= len(calm.up)
    score.tell(f"{trouble.name} for good")


@pytest.mark.parametrize(
    "trouble", [pytest.param(trouble, id=trouble.name) for trouble in (*TROUBLES, *MORE)]
)
@pytest.mark.xdist_group("faults-1")
def test_a_trouble_that_passes_is_got_over_by_the_run_itself(
    trouble: Trouble, calm: Calm, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    """Every call of the run meets it once, and is sent again."""
    shop, score = make_shop(tmp_path / "shop", cloudflare), Score()
    for do, calls in (("up", calm.up), ("update", calm.update), ("destroy", calm.destroy)):
        score.tried += len(calls)
        if do == "update":
            trade(shop)
            before = namespaces(shop)
            shop.become(2)
        with outage(shop, trouble, *_first_attempts(calls, trouble), once=True) as during:
            run(shop, "destroy" if do == "destroy" else "up", during)
            assert sum(during.met()) == len(calls)
        if do == "update":
            assert_kept(shop, before)
        if do == "destroy":
            assert_nothing(shop)
        else:
            assert_ended(shop, calm.first if do == "up" else calm.second)
        if "Retry-After" in trouble.name:
            assert during.waits.slept == [7.0] * len(calls)
    score.tell(f"{trouble.name} once")


def _first_attempts(calls: tuple[Call, ...], trouble: Trouble) -> list[Call]:
    """Which sendings of a method and path are first ones, where each is sent twice.

    A database that was made is found by its name, and not asked for again.
    """
    found = trouble.name.startswith("lost")
    return [
        call
        if found and (call.method, call.path) == ("POST", "/accounts/*/d1/database")
        else Call(call.method, call.path, 2 * call.nth - 1)
        for call in calls
    ]


@pytest.mark.xdist_group("faults-0")
def test_what_a_durable_object_has_written_outlives_faulty_updates(
    calm: Calm, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    """A real object on workerd, and an update whose uploads meet four troubles in turn."""
    shop = make_shop(tmp_path / "shop", cloudflare)
    run(shop, "up")
    assert sale(shop) == {"sales": 1, "version": 1}
    shop.become(2)
    upload = Call("PUT", "/accounts/*/workers/scripts/local-flowflare-orders", 1)
    for sales, trouble in enumerate(TROUBLES[1:], start=2):
        assert fails(shop, "up", trouble, upload)
        assert sale(shop)["sales"] == sales
    run(shop, "up")
    assert inventory(shop) == calm.second.held
    assert sale(shop) == {"sales": 6, "version": 2}


def sale(shop: Shop) -> dict[str, int]:
    """Sells once: the till's object writes a row and counts them."""
    shop.account.settle()
    url = shop.stack(Waits().api()).outputs()["client_urls"]["orders"]
    sold: dict[str, int] = httpx.get(url, timeout=20).raise_for_status().json()
    return sold
