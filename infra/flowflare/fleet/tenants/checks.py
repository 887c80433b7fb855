"""Check all stacks of a fleet before any of them runs: each by itself, then all together.

Each stack is checked as its program will check it (`config/load.py`). Two stacks must not share a
name or an address, and no account's limits may be exceeded.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.config.engine import ENGINE, engine_named
from flowflare.config.files import ProjectFile
from flowflare.config.load import load_stack
from flowflare.config.schema import NAMESPACE
from flowflare.config.values import as_text
from flowflare.errors import ConfigError, Problem
from flowflare.fleet.engines import BASE_URL, find_address_problem
from flowflare.fleet.tenants.layers import Layers, position_of
from flowflare.fleet.tenants.model import Limits
from flowflare.fleet.tenants.source import FleetSource
from flowflare.kinds.registry import find_kind
from flowflare.model.stack import StackSpec
from flowflare.values.wording import list_some

#: How many stacks a problem of many stacks lists.
_LISTED: Final = 3


@dataclass(frozen=True)
class StackInputs:
    """The configuration of one stack of the fleet.

    Attributes:
        values: full key to JSON value, as its file will contain them.
        layers: the layers that the values come from.
        place: the file and line of its tenant.
    """

    stack: str
    values: Mapping[str, Any]
    layers: Layers
    place: str


def check_stacks(
    stacks: Sequence[StackInputs], limits: Limits, base: ProjectFile, source: FleetSource
) -> list[Problem]:
    """Find every problem of the stacks' configurations, names, addresses and counts.

    Args:
        base: the configuration that all stacks share, from `Pulumi.yaml`.
        source: the places of their values.
    """
    shared = {key: value.text for key, value in base.values.items()}
    specs: list[tuple[StackInputs, StackSpec]] = []
    found: list[tuple[StackInputs, Problem]] = []
    for inputs in stacks:
        texts = shared | {key: as_text(value)[0] for key, value in inputs.values.items()}
        places = _KeyPlaces(inputs, base, source)
        found += [(inputs, problem) for problem in _find_address_problems(texts, places)]
        try:
            spec = load_stack(
                texts, project=base.name, stack=inputs.stack, origins=places, root=base.root
            )
        except ConfigError as error:
            found += [(inputs, problem) for problem in error.problems]
        else:
            specs.append((inputs, spec))
    return [
        *_merge_problems(found, len(stacks), source),
        *_find_collisions(specs, source),
        *_check_limits(specs, limits, source),
    ]


def _find_address_problems(
    texts: Mapping[str, str], places: Mapping[str, tuple[str, int]]
) -> Iterator[Problem]:
    """Find API addresses that `fleet up` would refuse later, during the deployment."""
    if BASE_URL in texts:
        file, line = places[BASE_URL]
        engine = engine_named(texts.get(ENGINE))
        problem = find_address_problem(f"{file}:{line}", texts[BASE_URL], engine)
        if problem is not None:
            yield problem


class _KeyPlaces(Mapping[str, tuple[str, int]]):
    """The file and line of a stack's keys, which are only looked up for problems."""

    def __init__(self, stack: StackInputs, base: ProjectFile, source: FleetSource) -> None:
        self._stack, self._base, self._source = stack, base, source

    def __getitem__(self, path: str) -> tuple[str, int]:
        # Client names and keys contain no dots. The dots of a host name only end the search early.
        key, *inside = path.split(".")
        if key not in self._stack.values:
            return self._base.places[path]
        position = position_of(self._stack.layers, key)
        if position is None:
            raise KeyError(path)
        return self._source.find((*position, *inside))

    def __iter__(self) -> Iterator[str]:
        return iter(self._stack.values)

    def __len__(self) -> int:
        return len(self._stack.values)


def _merge_problems(
    found: Iterable[tuple[StackInputs, Problem]], stacks: int, source: FleetSource
) -> Iterator[Problem]:
    """Merge problems that many stacks have; in all others, name the stack."""
    by_text: dict[tuple[str, str | None], list[tuple[StackInputs, Problem]]] = defaultdict(list)
    for inputs, problem in found:
        text = problem.message.replace(inputs.stack, "<stack>"), problem.remedy
        by_text[text].append((inputs, problem))
    files = {place[0] for place in source.places.values()}
    for group in by_text.values():
        first, problem = group[0]
        if problem.place.rpartition(":")[0] in files:
            # The problem is in the fleet's own files: report it once for each place.
            yield from dict.fromkeys(problem for _, problem in group)
        elif len(group) == stacks > 1:
            has_line = ":" in problem.place
            place = problem.place if has_line else source.of(("defaults",))
            yield Problem(place, problem.message, problem.remedy)
        else:
            names = _list_stacks([inputs.stack for inputs, _ in group])
            message = f"{names}: {problem.message}"
            yield Problem(first.place, message, problem.remedy)


def _find_collisions(
    specs: Iterable[tuple[StackInputs, StackSpec]], source: FleetSource
) -> Iterator[Problem]:
    """Find names and addresses that two stacks would share, so that one replaces the other's."""
    owners: dict[tuple[str, str, str], list[StackInputs]] = defaultdict(list)
    for inputs, spec in specs:
        for kind, scope, name in _list_names(spec):
            owners[kind, scope, name].append(inputs)
    for (kind, _, name), stacks in owners.items():
        if len(stacks) < 2:
            continue
        second = stacks[1]
        place, remedy = second.place, "Give each tenant its own."
        for key in ("names", "routes", "domains", "clientOverrides", "clients"):
            position = position_of(second.layers, f"{NAMESPACE}:{key}")
            if key in _KEYS.get(kind, _OWN_STORES) and position is not None:
                place = source.of(position)
                remedy = f"Give each tenant its own `{key}`."
                break
        names = _list_stacks([inputs.stack for inputs in stacks])
        yield Problem(place, f"{name} would be the {kind} of {names}", remedy)


_ADDRESSES: Final = ("routes", "domains", "clientOverrides", "clients")
_KEYS: Final = {
    "Worker": ("names",),
    "D1 database": ("names", "clientOverrides", "clients"),
    "Workflow": ("names",),
    "route": _ADDRESSES,
    "custom domain": _ADDRESSES,
}
#: The keys that set the names of resources which clients' bindings create, of every kind.
_OWN_STORES: Final = ("clientOverrides", "clients")


def _list_names(spec: StackSpec) -> Iterator[tuple[str, str, str]]:
    """List the names that only one stack can have, each with its kind and account."""
    account = spec.account_id
    for worker in (spec.service, *spec.clients):
        yield "Worker", account, worker.script_name
        for route in worker.routes:
            yield "route", "", route.pattern
        for domain in worker.domains:
            yield "custom domain", "", domain.hostname
    yield "D1 database", account, spec.service.database_name
    for client in spec.clients:
        for database in client.databases:
            yield "D1 database", account, database.database_name
        for own in client.own:
            kind = find_kind(own.type)
            assert kind is not None
            assert kind.own is not None
            yield kind.own.words, account, own.name
        for workflow in client.workflows:
            yield "Workflow", account, workflow.workflow_name


def _check_limits(
    specs: Iterable[tuple[StackInputs, StackSpec]], limits: Limits, source: FleetSource
) -> Iterator[Problem]:
    """Find accounts and zones whose limits the fleet would exceed."""
    counts: Counter[tuple[str, str]] = Counter()
    for _, spec in specs:
        account = f"account {spec.account_id}"
        for worker in (spec.service, *spec.clients):
            counts["workers", account] += 1
            counts["cron_triggers", account] += len(worker.crons or ())
            for route in worker.routes:
                counts["routes", f"zone {route.zone_id}"] += 1
            for domain in worker.domains:
                counts["domains", f"zone {domain.zone_id}"] += 1
        counts["databases", account] += 1 + sum(len(client.databases) for client in spec.clients)
    for (what, where), count in sorted(counts.items()):
        limit: int = getattr(limits, what)
        if count > limit:
            key, words = _LIMITS[what]
            message = f"{where} would have {count} {words} of the fleet, but the limit is {limit}"
            remedy = f"If Cloudflare allows more there, write `limits: {{{key}: {count}}}`."
            if where.startswith("account"):
                remedy += " Otherwise give some tenants another `accountId`."
            yield Problem(source.of(("limits", key)), message, remedy)


_LIMITS: Final = {
    "workers": ("workers", "Workers"),
    "databases": ("databases", "D1 databases"),
    "cron_triggers": ("cronTriggers", "cron triggers"),
    "routes": ("routes", "routes"),
    "domains": ("domains", "custom domains"),
}


def _list_stacks(stacks: Sequence[str]) -> str:
    return f"stack{'s' if len(stacks) > 1 else ''} {list_some(stacks, _LISTED)}"
