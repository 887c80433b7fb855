"""Checks all stacks of a fleet before one of them runs: each by itself, then all together.

Each is checked as its program will check it (`config/load.py`). Together they must not meet in a
name or an address, and an account must be able to hold them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.config.engine import ENGINE, engine_named
from flowflare.config.files import Base, as_text
from flowflare.config.load import load_stack
from flowflare.config.schema import NAMESPACE
from flowflare.errors import ConfigError, Problem
from flowflare.fleet.engines import BASE_URL, address_problem
from flowflare.fleet.tenants.layers import Layers, position_of
from flowflare.fleet.tenants.model import Limits
from flowflare.fleet.tenants.source import Source
from flowflare.kinds.registry import find_kind
from flowflare.model.client import OwnSpec
from flowflare.model.stack import StackSpec

#: How many stacks a problem of many names.
_NAMED: Final = 3


@dataclass(frozen=True)
class StackInputs:
    """A stack that the fleet has.

    Attributes:
        stack: its name.
        values: full key to JSON value, as its file will have them.
        layers: where they are from.
        place: file and line of its tenant.
    """

    stack: str
    values: Mapping[str, Any]
    layers: Layers
    place: str


def check_stacks(
    stacks: Sequence[StackInputs], limits: Limits, base: Base, source: Source
) -> list[Problem]:
    """Every problem of the stacks' configurations, names, addresses and numbers.

    Args:
        stacks: all stacks.
        limits: what an account may have.
        base: what they all have of `Pulumi.yaml`.
        source: where their values stand.
    """
    shared = {key: value.text for key, value in base.values.items()}
    specs: list[tuple[StackInputs, StackSpec]] = []
    found: list[tuple[StackInputs, Problem]] = []
    for one in stacks:
        texts = shared | {key: as_text(value)[0] for key, value in one.values.items()}
        places = _Places(one, base, source)
        found += [(one, problem) for problem in _address_problems(texts, places)]
        try:
            spec = load_stack(
                texts, project=base.name, stack=one.stack, origins=places, root=base.root
            )
        except ConfigError as error:
            found += [(one, problem) for problem in error.problems]
        else:
            specs.append((one, spec))
    return [
        *_told_once(found, len(stacks), source),
        *_collisions(specs, source),
        *_beyond(specs, limits, source),
    ]


def _address_problems(
    texts: Mapping[str, str], places: Mapping[str, tuple[str, int]]
) -> Iterator[Problem]:
    """Addresses of the API that `fleet up` would refuse when the first tenants are deployed."""
    if BASE_URL in texts:
        file, line = places[BASE_URL]
        engine = engine_named(texts.get(ENGINE))
        problem = address_problem(f"{file}:{line}", texts[BASE_URL], engine)
        if problem is not None:
            yield problem


class _Places(Mapping[str, tuple[str, int]]):
    """File and line of a stack's keys; looked up only where something is wrong."""

    def __init__(self, stack: StackInputs, base: Base, source: Source) -> None:
        self._stack, self._base, self._source = stack, base, source

    def __getitem__(self, path: str) -> tuple[str, int]:
        # Client names and keys have no dot; the one in a host only ends the search earlier.
        key, *inside = path.split(".")
        if key not in self._stack.values:
            return self._base.places[path]
        position = position_of(self._stack.layers, key)
        if position is None:
            raise KeyError(path)
        return self._source.found((*position, *inside))

    def __iter__(self) -> Iterator[str]:
        return iter(self._stack.values)

    def __len__(self) -> int:
        return len(self._stack.values)


def _told_once(
    found: Iterable[tuple[StackInputs, Problem]], stacks: int, source: Source
) -> Iterator[Problem]:
    """Problems that many stacks have, told once; those of single stacks with their names."""
    by_text: dict[tuple[str, str | None], list[tuple[StackInputs, Problem]]] = defaultdict(list)
    for one, problem in found:
        text = problem.message.replace(one.stack, "<stack>"), problem.remedy
        by_text[text].append((one, problem))
    files = {place[0] for place in source.places.values()}
    for group in by_text.values():
        first, problem = group[0]
        if problem.place.rpartition(":")[0] in files:
            # It stands in the fleet's own files: one for each place.
            yield from dict.fromkeys(problem for _, problem in group)
        elif len(group) == stacks > 1:
            has_line = ":" in problem.place
            place = problem.place if has_line else source.of(("defaults",))
            yield Problem(place, problem.message, problem.remedy)
        else:
            names = _listed([one.stack for one, _ in group])
            message = f"{names}: {problem.message}"
            yield Problem(first.place, message, problem.remedy)


def _collisions(
    specs: Iterable[tuple[StackInputs, StackSpec]], source: Source
) -> Iterator[Problem]:
    """Names and addresses that two stacks would share; the second would take the first's."""
    owners: dict[tuple[str, str, str], list[StackInputs]] = defaultdict(list)
    for one, spec in specs:
        for kind, scope, name in _taken(spec):
            owners[kind, scope, name].append(one)
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
        names = _listed([one.stack for one in stacks])
        yield Problem(place, f"{name} would be the {kind} of {names}", remedy)


_ADDRESSES: Final = ("routes", "domains", "clientOverrides", "clients")
_KEYS: Final = {
    "Worker": ("names",),
    "D1 database": ("names", "clientOverrides", "clients"),
    "Workflow": ("names",),
    "route": _ADDRESSES,
    "custom domain": _ADDRESSES,
}
#: Where the names of what clients' bindings make are set, whatever its kind.
_OWN_STORES: Final = ("clientOverrides", "clients")


def _taken(spec: StackSpec) -> Iterator[tuple[str, str, str]]:
    """What a stack takes that another cannot have: what it is, in which account, its name."""
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
        yield from ((_say_kind(own), account, own.name) for own in client.own)
        for workflow in client.workflows:
            yield "Workflow", account, workflow.workflow_name


def _say_kind(own: OwnSpec) -> str:
    """Say what people call a store that a binding makes."""
    kind = find_kind(own.type)
    assert kind is not None
    assert kind.own is not None
    return kind.own.words


def _beyond(
    specs: Iterable[tuple[StackInputs, StackSpec]], limits: Limits, source: Source
) -> Iterator[Problem]:
    """Accounts and zones that cannot hold what the fleet would put there."""
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
        counts["databases", account] += 1 + sum(len(one.databases) for one in spec.clients)
    for (what, where), count in sorted(counts.items()):
        limit: int = getattr(limits, what)
        if count > limit:
            key, words = _LIMITS[what]
            message = f"{where} would have {count} {words} of the fleet, and {limit} are allowed"
            remedy = f"If Cloudflare allows more there, say so: `limits: {{{key}: {count}}}`."
            if where.startswith("account"):
                remedy += " Else give some tenants another `accountId`."
            yield Problem(source.of(("limits", key)), message, remedy)


_LIMITS: Final = {
    "workers": ("workers", "Workers"),
    "databases": ("databases", "D1 databases"),
    "cron_triggers": ("cronTriggers", "cron triggers"),
    "routes": ("routes", "routes"),
    "domains": ("domains", "custom domains"),
}


def _listed(stacks: Sequence[str]) -> str:
    if len(stacks) == 1:
        return f"stack {stacks[0]}"
    more = len(stacks) - _NAMED
    named = ", ".join(stacks[:_NAMED])
    return f"stacks {named} and {more} more" if more > 0 else f"stacks {named}"
