"""Fakes of a fleet's records, workers and health checks, which record what a rollout does."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from flowflare.fleet.records import Fingerprint, TenantRecord
from flowflare.fleet.rollout.events import FleetEvent
from flowflare.fleet.rollout.health import Endpoints, HealthResult
from flowflare.fleet.rollout.plan import RolloutPlan, plan_rollout
from flowflare.fleet.rollout.rollout import Rollout, RolloutRules
from flowflare.fleet.tenants.model import Environment, Tenant
from flowflare.fleet.workers.pool import Result, Task, TaskEvent


class Killed(BaseException):
    """The process ends here, as after kill -9."""


@dataclass
class FakeRecords:
    """Records in memory, and how many more operations happen before the process is killed."""

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
class World(FakeRecords):
    """What outlives a process: the account, the records and the events.

    Attributes:
        has: the deployed version of each stack.
        broken: tenants whose `up` fails.
        held: tenants whose stacks another run locks for too long.
        sick: tenants that are unhealthy after their `up`.
        late: tenants that become unhealthy before the end of their wave.
        ups: every successful `up`, in order.
        during: is called at each `up`.
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
        return [event.tenant for event in self.events if event.event == kind]


class FakeRunner:
    """Run tasks one by one."""

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


class FakeChecker:
    """Report the tenants that the world lists as sick."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, tenant: Endpoints, since: str) -> HealthResult:
        return self._find(tenant, self._world.sick)

    def check_errors(self, tenant: Endpoints, since: str) -> HealthResult:
        return self._find(tenant, self._world.late)

    def _find(self, tenant: Endpoints, sick: set[str]) -> HealthResult:
        name = str(tenant.service_url).removeprefix("https://").removesuffix("-prod")
        found = ("runs fail",) if name in sick else ()
        return HealthResult(name not in sick, found, 0.5)


def make_tenants(count: int, **statuses: str) -> list[Tenant]:
    names = [f"t{number:02}" for number in range(1, count + 1)]
    return [
        Tenant(name=name, status=statuses.get(name, "active"), environments=("prod",), config={})
        for name in names
    ]


def make_plan(
    world: World, asked: list[Tenant], version: str = "1", rollout: str = "r1", **words
) -> RolloutPlan:
    prints = {
        f"{tenant.name}-prod": Fingerprint(digest=version, parts={"code": version})
        for tenant in asked
    }
    environment = Environment(name="prod", **words)
    return plan_rollout(asked, environment, prints, world.records, rollout)


def roll(world: World, plan: RolloutPlan, version: str = "1", **rules) -> Rollout:
    """Run the command once."""
    rollout = Rollout(
        plan,
        FakeRunner(world, version),
        world,
        FakeChecker(world),
        world.events.append,
        RolloutRules(**rules),
    )
    rollout.succeeded = rollout.run() is None
    return rollout
