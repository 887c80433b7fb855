"""Each call of a first `up`, an update and a `destroy` gets each trouble, once and permanently."""

import fcntl
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowflare.errors import UpdateFailed
from tests.e2e.conftest import ROOT
from tests.e2e.conftest import cloudflare as cloudflare  # noqa: PLC0414 -- a fixture
from tests.e2e.embedded import Cloudflare
from tests.faults.outage import MORE, TROUBLES, Call, Outage, Trouble, Waits, list_calls, outage
from tests.faults.shop import Shop, make_shop, read_inventory, read_state
from tests.support.waiting import PATIENCE

# The same lines run thousands of times; other tests count their coverage.
pytestmark = [pytest.mark.workerd, pytest.mark.no_cover]

#: The number of tests that share the calls of a run, for each trouble, so that each test is short.
PARTS = 8
TRACKING = "local-flowflare-db"
ARCHIVE = "local-flowflare-orders-archive"


@dataclass(frozen=True)
class End:
    """The end of a run without trouble: the account's inventory, and the state."""

    held: dict[str, Any]
    state: dict[str, Any]


@dataclass(frozen=True)
class Calm:
    """The runs without trouble: their calls and their ends."""

    up: tuple[Call, ...]
    update: tuple[Call, ...]
    destroy: tuple[Call, ...]
    first: End
    second: End


@pytest.fixture(scope="module", autouse=True)
def _short_traces() -> Iterator[None]:
    """Shorten the SDK's stack traces of resources, which take a tenth of the time unused."""
    sys.tracebacklimit = 1
    yield
    del sys.tracebacklimit


@pytest.fixture(scope="module")
def calm(cloudflare: Cloudflare, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    shop = make_shop(tmp_path_factory.mktemp("calm") / "shop", cloudflare)
    up = _record_calls(shop, lambda: run(shop, "up"))
    first = read_end(shop)
    shop.become(2)
    update = _record_calls(shop, lambda: run(shop, "up"))
    second = read_end(shop)
    destroy = _record_calls(shop, lambda: run(shop, "destroy"))
    return Calm(up, update, destroy, first, second)


def _record_calls(shop: Shop, do: Callable[[], object]) -> tuple[Call, ...]:
    since = shop.account.find_last_request()
    do()
    return list_calls(shop, since)


def read_end(shop: Shop) -> End:
    return End(read_inventory(shop), read_state(shop))


def run(shop: Shop, do: str, during: Outage | None = None) -> None:
    """Run `up` or `destroy`, with or without a trouble."""
    getattr(shop.stack(during.api if during else Waits().api()), do)()


@dataclass
class Score:
    """The number of tried cases, and the problems."""

    tried: int = 0
    failed_runs: int = 0
    problems: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.process_time)

    def case(self, name: str, do: Callable[[], Sequence[bool]]) -> int:
        """Run a case and count its affected calls; `do` returns whether the run of each failed."""
        try:
            met = do()
        except Exception as error:  # noqa: BLE001 -- all problems are reported together
            self.tried += 1
            self.problems.append(f"{name}: {type(error).__name__}: {error}")
            return 0
        self.tried += len(met)
        self.failed_runs += sum(met)
        return len(met)

    def report(self, name: str) -> None:
        """Add the numbers to build/faults/summary.json, and fail if there are problems."""
        numbers = {
            "tried": self.tried,
            "survived": self.tried - len(self.problems),
            "runs that failed": self.failed_runs,
            "seconds of CPU": round(time.process_time() - self.began, 1),
        }
        summary = ROOT / "build" / "faults" / "summary.json"
        summary.parent.mkdir(parents=True, exist_ok=True)
        with summary.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two processes write it
            file.seek(0)
            summaries = json.loads(file.read() or "{}") | {name: numbers}
            file.truncate(0)
            json.dump(summaries, file, indent=1, sort_keys=True)
        print(f"faults, {name}: {numbers}")  # noqa: T201 -- pytest shows it with -s and -rP
        assert not self.problems, "\n\n".join(self.problems)


def fails(shop: Shop, do: str, trouble: Trouble, call: Call) -> bool | None:
    """Run while a call permanently gets a trouble.

    Returns:
        Whether the run failed; None if it ended without making the call.
    """
    said = ""
    with outage(shop, trouble, call) as during:
        try:
            run(shop, do, during)
        except UpdateFailed as error:
            said = str(error)
        met = sum(during.met()) > 0
    assert not said or "tried 3 times" in said, said
    assert met or not said, f"failed without the trouble: {said}"
    return bool(said) if met else None


def fail_in_turn(shop: Shop, do: str, trouble: Trouble, chain: Sequence[Call]) -> list[bool]:
    """Inject a trouble into one call of a run, into a later call of the next run, then none.

    Returns:
        For each affected call whether its run failed. The first call is always affected; a later
        call is not if the run before already did its work.
    """
    met = []
    for number, call in enumerate(chain):
        failed = fails(shop, do, trouble, call)
        assert number > 0 or failed is not None, "the call was not made"
        if failed is not None:
            met.append(failed)
        if not failed:
            return met  # the run has ended
    run(shop, do)
    return met


class Chains:
    """The calls of a run that must still get a trouble, two at a time in one account."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._left = list(calls)
        self._apart = (len(calls) + 1) // 2

    def __bool__(self) -> bool:
        return bool(self._left)

    def next(self) -> list[Call]:
        """Return the first remaining call, and one half a run later with another path.

        The list is empty if no call remains. After a failed run, the later call is the first of
        its path again.
        """
        if not self._left:
            return []
        first = self._left[0]
        for later in self._left[self._apart :]:
            if later.nth == 1 and (later.method, later.path) != (first.method, first.path):
                return [first, later]
        return [first]

    def remove(self, calls: Sequence[Call]) -> None:
        """Remove calls that have got the trouble."""
        self._left = [call for call in self._left if call not in calls]


def assert_ended(shop: Shop, end: End) -> None:
    """Check that account and state are as without trouble, and that another run does nothing."""
    assert read_inventory(shop) == end.held
    assert read_state(shop) == end.state
    last = shop.account.find_last_request()
    run(shop, "up")
    assert shop.account.list_writes(since=last) == []


def assert_nothing(shop: Shop) -> None:
    assert shop.account.is_empty()
    assert read_inventory(shop)["namespaces"] == []
    assert read_state(shop) == {}


def trade(shop: Shop) -> None:
    """Write rows that must not be lost."""
    shop.query(TRACKING, "INSERT INTO workflow (name) VALUES ('kept')")
    shop.query(ARCHIVE, "INSERT INTO page1 (text) VALUES ('kept')")


def namespaces(shop: Shop) -> set[str]:
    """Return the IDs of the namespaces, to which objects and their storage belong."""
    return {row["id"] for row in shop.account.get("/workers/durable_objects/namespaces")}


def assert_kept(shop: Shop, before: set[str]) -> None:
    """Check that the rows of `trade` and the namespaces exist."""
    assert [row["name"] for row in shop.query(TRACKING, "SELECT name FROM workflow")] == ["kept"]
    assert [row["text"] for row in shop.query(ARCHIVE, "SELECT text FROM page1")] == ["kept"]
    assert before <= namespaces(shop)


class Life:
    """One account: a first `up`, an update and a `destroy`, each with its own troubles."""

    def __init__(self, shop: Shop, calm: Calm, trouble: Trouble) -> None:
        self._shop = shop
        self._calm = calm
        self._trouble = trouble

    def up(self, chain: Sequence[Call]) -> list[bool]:
        met = fail_in_turn(self._shop, "up", self._trouble, chain)
        assert_ended(self._shop, self._calm.first)
        return met

    def update(self, chain: Sequence[Call]) -> list[bool]:
        shop = self._shop
        trade(shop)
        before = namespaces(shop)
        shop.become(2)
        met = fail_in_turn(shop, "up", self._trouble, chain)
        assert_kept(shop, before)
        assert_ended(shop, self._calm.second)
        return met

    def destroy(self, chain: Sequence[Call]) -> list[bool]:
        met = fail_in_turn(self._shop, "destroy", self._trouble, chain)
        assert_nothing(self._shop)
        return met


@pytest.mark.parametrize(
    ("trouble", "part"),
    [
        pytest.param(
            trouble,
            part,
            id=f"{trouble.name}-{part}",
            marks=[
                pytest.mark.xdist_group(f"faults-{(number + part) % 2}"),
                # A lost response leaves the most behind.
                *([] if trouble.name == "lost" and part == 0 else [pytest.mark.long]),
            ],
        )
        for number, trouble in enumerate(TROUBLES)
        for part in range(PARTS)
    ],
)
def test_the_next_run_recovers_from_a_permanent_trouble(
    trouble: Trouble, part: int, calm: Calm, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    score = Score()
    runs = {"up": calm.up, "update": calm.update, "destroy": calm.destroy}
    phases = {phase: calls[part::PARTS] for phase, calls in runs.items()}
    left = {phase: Chains(calls) for phase, calls in phases.items()}
    while any(left.values()):
        life = Life(make_shop(tmp_path / str(score.tried), cloudflare), calm, trouble)
        ahead = list(left.items())
        while ahead and any(chains for _, chains in ahead):
            phase, chains = ahead.pop(0)
            chain = chains.next()
            name = f"{phase}, {' and then '.join(map(str, chain)) or 'no trouble'}"
            met = score.case(name, lambda: getattr(life, phase)(chain))  # noqa: B023
            chains.remove(chain[: max(met, 1)])
            if chain and not met:
                break
    assert sum(map(len, phases.values())) == score.tried or score.problems
    score.report(f"{trouble.name} for good, part {part + 1} of {PARTS}")


@pytest.mark.parametrize(
    "trouble",
    # A lost response leaves the most behind.
    [
        trouble if trouble.name == "lost" else pytest.param(trouble, marks=pytest.mark.long)
        for trouble in (*TROUBLES, *MORE)
    ],
    ids=[trouble.name for trouble in (*TROUBLES, *MORE)],
)
@pytest.mark.xdist_group("faults-1")
def test_a_run_recovers_from_a_temporary_trouble(
    trouble: Trouble, calm: Calm, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    """Each call of the run gets the trouble once, and is sent again."""
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
    score.report(f"{trouble.name} once")


def _first_attempts(calls: tuple[Call, ...], trouble: Trouble) -> list[Call]:
    """Return the first attempts of a method and path if each call is sent twice.

    A lost creation of a database is found by its name, and not sent again.
    """
    found = trouble.name.startswith("lost")
    return [
        call
        if found and (call.method, call.path) == ("POST", "/accounts/*/d1/database")
        else Call(call.method, call.path, 2 * call.nth - 1)
        for call in calls
    ]


@pytest.mark.xdist_group("faults-0")
def test_the_data_of_a_durable_object_survives_failed_updates(
    calm: Calm, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    """An object on workerd, and an update whose uploads get four troubles in turn."""
    shop = make_shop(tmp_path / "shop", cloudflare)
    run(shop, "up")
    assert sale(shop) == {"sales": 1, "version": 1}
    shop.become(2)
    upload = Call("PUT", "/accounts/*/workers/scripts/local-flowflare-orders", 1)
    for sales, trouble in enumerate(TROUBLES[1:], start=2):
        assert fails(shop, "up", trouble, upload)
        assert sale(shop)["sales"] == sales
    run(shop, "up")
    assert read_inventory(shop) == calm.second.held
    assert sale(shop) == {"sales": 6, "version": 2}


def sale(shop: Shop) -> dict[str, int]:
    """Sell once: the till's object writes a row, and counts the rows."""
    shop.account.settle()
    url = shop.stack(Waits().api()).outputs()["client_urls"]["orders"]
    sold: dict[str, int] = httpx.get(url, timeout=PATIENCE).raise_for_status().json()
    return sold
