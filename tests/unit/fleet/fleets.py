"""Fleets whose stacks are a few words: what an `up` would do with them is written down here."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from flowflare.fleet.records import Fingerprint, TenantRecord
from flowflare.fleet.rollout.events import FleetEvent
from flowflare.fleet.rollout.health import Endpoints, Verdict
from flowflare.fleet.rollout.plan import RolloutPlan, plan_rollout
from flowflare.fleet.rollout.rollout import Rollout, Rules
from flowflare.fleet.tenants.model import Environment, Tenant
from flowflare.fleet.workers.pool import Result, Task, TaskEvent


class Killed(BaseException):
    """The process ends here, as with kill -9: nothing after it happens."""


@dataclass
class Records:
    """Records, and how many more things happen before the process is killed."""

    records: dict[str, TenantRecord] = field(default_factory=dict)
    kill_after: int = 1_000_000

    def claim(self, record: TenantRecord) -> TenantRecord | None:
        self.write(record)
        return None

    def release(self, stack: str) -> None:
        self.records.pop(stack)

    def write(self, record: TenantRecord) -> None:
        self.tick()
        self.records[record.stack] = record

    def tick(self) -> None:
        self.kill_after -= 1
        if self.kill_after < 0:
            raise Killed


@dataclass
class World(Records):
    """What outlives a process: the account, the records, what was written down.

    Attributes:
        has: the version that each stack has.
        broken: tenants whose `up` fails.
        held: those that another run holds for longer than they are waited for.
        sick: tenants that are up and not healthy; those in `late` are found out at a wave's end.
        ups: every `up` that ended well, in order.
        during: called at each `up`.
    """

    has: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    sick: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    ups: list[str] = field(default_factory=list)
    events: list[FleetEvent] = field(default_factory=list)
    during: Callable[[str], None] = lambda stack: None

    def names(self, kind: str) -> list[str]:
        return [one.tenant for one in self.events if one.event == kind]


class Runner:
    """Does one task after the other."""

    def __init__(self, world: World, version: str) -> None:
        self._world = world
        self._version = version
        self._stopped = False

    def run(self, tasks: Iterable[Task], on_event=None) -> Iterator[Result]:
        for task in tasks:
            on_event(TaskEvent(task, "began"))
            self._world.during(task.stack)
            if task.stack.removesuffix("-prod") in self._world.broken:
                yield Result(task, ok=False, error="it is broken", seconds=1, api_calls=3)
            elif task.stack.removesuffix("-prod") in self._world.held:
                yield Result(task, ok=False, error="another run holds it", held=True)
            else:
                self._world.tick()
                self._world.has[task.stack] = self._version
                self._world.ups.append(task.stack.removesuffix("-prod"))
                outputs = {"service_url": f"https://{task.stack}", "api_key": "k"}
                value = {"changed": 1, "outputs": outputs}
                yield Result(task, ok=True, value=value, seconds=1, api_calls=20)
            if self._stopped:
                return

    def stop(self) -> None:
        self._stopped = True


class Checker:
    """Knows who is sick."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, tenant: Endpoints, since: str) -> Verdict:
        return self._verdict(tenant, self._world.sick)

    def check_errors(self, tenant: Endpoints, since: str) -> Verdict:
        return self._verdict(tenant, self._world.late)

    def _verdict(self, tenant: Endpoints, sick: set[str]) -> Verdict:
        name = str(tenant.service_url).removeprefix("https://").removesuffix("-prod")
        found = ("runs fail",) if name in sick else ()
        return Verdict(name not in sick, found, 0.5)


def tenants(count: int, **statuses: str) -> list[Tenant]:
    names = [f"t{number:02}" for number in range(1, count + 1)]
    return [
        Tenant(name=one, status=statuses.get(one, "active"), environments=("prod",), config={})
        for one in names
    ]


def planned(
    world: World, asked: list[Tenant], version: str = "1", rollout: str = "r1", **words
) -> RolloutPlan:
    prints = {
        f"{one.name}-prod": Fingerprint(digest=version, parts={"code": version}) for one in asked
    }
    environment = Environment(name="prod", **words)
    return plan_rollout(asked, environment, prints, world.records, rollout)


def roll(world: World, plan: RolloutPlan, version: str = "1", **rules) -> Rollout:
    """One run of the command."""
    rollout = Rollout(
        plan, Runner(world, version), world, Checker(world), world.events.append, Rules(**rules)
    )
    rollout.well = rollout.run() is None
    return rollout
