"""Measure this repository's service against another service, round by round, in one workerd.

`python -m bench.compare [--other BUNDLE --other-migrations FOLDER]`. The other service, such as the
original Flowflare or an earlier release, is a finished ESM bundle that exports
createWorkflowService and WorkflowTracker. Machines differ and are busy with other work, so the
result is the median of the rounds' ratios: each round measures both services, and they take turns
in going first. Prints JSON.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from bench.http_calls import Measured
from bench.load import Load, Size, numbers
from bench.seed import SEEDED_REF, SEEDED_TYPE, seed
from bench.workerd import Running, Service, running

ROOT = Path(__file__).parent.parent
OURS = Service("ours", ROOT / "build" / "service.js", ROOT / "migrations")
OTHER = "other"
KINDS = ("starts", "step_updates", "run_updates", "gets")
QUERIES: dict[str, dict[str, Any]] = {
    "all": {},
    "of_type": {"workflowType": SEEDED_TYPE},
    "in_status": {"status": "Errored"},
    "of_ref": {"ref_id": SEEDED_REF},
    "before": {"created_before": "2023-11-14T22:21:00.000Z"},
}
COUNTED_CALLS = 40
SETTLING_SECONDS = 0.08  # Broadcasts after a response are part of the request's cost.


async def one_round(services: Running, load: Load) -> dict[str, dict[str, Any]]:
    """Measure one service for one round, by kind of request, with workerd's CPU time per request.

    Raises:
        RuntimeError: the service starts no runs.
    """
    figures: dict[str, dict[str, Any]] = {}
    runs: list[str] = []

    async def note(kind: str, making: Awaitable[Measured]) -> None:
        before = services.cpu_seconds()
        figures[kind] = (await making).figures()
        await asyncio.sleep(SETTLING_SECONDS)
        after = services.cpu_seconds()
        # Without a rate the requests failed, and failing is fast.
        if before is not None and after is not None and "per_second" in figures[kind]:
            figures[kind]["cpu_ms"] = (after - before) * 1000 / figures[kind]["calls"]

    async def starts() -> Measured:
        measured, begun = await load.starts()
        runs.extend(begun)
        return measured

    await note("starts", starts())
    if not runs:
        raise RuntimeError(f"no run was started: {figures['starts']}")
    await note("step_updates", load.step_updates(runs))
    await note("run_updates", load.run_updates(runs))
    await note("gets", load.gets(runs))
    return figures


async def compare_writes(
    services: Running, names: list[str], size: Size, rounds: int
) -> dict[str, Any]:
    """Measure the rates of each service, and their ratios to the other service.

    Raises:
        OSError: a service cannot be reached.
    """
    loads = {name: Load(services.target(name), size) for name in names}
    for load in loads.values():  # The first requests compile code and warm caches.
        await one_round(services, load)
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            measured[name].append(await one_round(services, loads[name]))
            _say(f"round {number + 1} of {rounds}: {name}")
    figures: dict[str, Any] = {}
    for kind in KINDS:
        rates = {name: [each[kind].get("per_second") for each in measured[name]] for name in names}
        cpu = {name: [each[kind].get("cpu_ms") for each in measured[name]] for name in names}
        figures[kind] = {name: _median(rates[name]) for name in names}
        figures[kind]["cpu_ms"] = {name: _median(cpu[name]) for name in names}
        if OTHER in rates:
            figures[kind]["ratio"] = _ratio(rates[OURS.name], rates[OTHER])
            figures[kind]["cpu_ratio"] = _ratio(cpu[OTHER], cpu[OURS.name])
    return figures


async def count_usage(services: Running, names: list[str], size: Size) -> dict[str, Any]:
    """Count what D1 does for a request of each kind, for each service."""
    usage: dict[str, Any] = {}
    for name in names:
        load = Load(services.target(name, counted=True), _counting(size))
        counted = await one_round(services, load)
        usage[name] = {kind: counted[kind].get("per_call") for kind in KINDS}
    return usage


async def compare_sockets(services: Running, names: list[str], size: Size) -> list[dict[str, Any]]:
    """Measure the events per second that reach the sockets, for each number of sockets."""
    figures = []
    for sockets in size.sockets:
        fan_outs = {
            name: await Load(services.target(name), size).fan_out(sockets) for name in names
        }
        figures.append({"sockets": sockets} | fan_outs)
        _say(f"{sockets} sockets")
    return figures


async def compare_lists(
    services: Running, sizes: tuple[int, ...], size: Size, rounds: int
) -> dict[str, Any]:
    """Measure how much slower lists get as the table grows, and how many rows they read."""
    names = {runs: list_service(runs).name for runs in sizes}
    figures: dict[str, Any] = {}
    for query, body in QUERIES.items():
        rates: dict[int, list[float | None]] = {runs: [] for runs in sizes}
        for number in range(rounds + 1):
            for runs in sizes if number % 2 == 0 else reversed(sizes):
                made = await Load(services.target(names[runs]), size).lists(body)
                if number > 0:  # The first round warms caches.
                    rates[runs].append(made.figures().get("per_second"))
        figures[query] = {}
        for runs in sizes:
            target = services.target(names[runs], counted=True)
            counted = await Load(target, _counting(size)).lists(body)
            figures[query][str(runs)] = {
                "per_second": _median(rates[runs]),
                "times_slower_than_smallest": _ratio(rates[sizes[0]], rates[runs]),
                "per_call": counted.figures().get("per_call"),
            }
        _say(f"lists: {query}")
    return figures


def list_service(runs: int) -> Service:
    """Return the service whose database has the given number of runs."""
    return Service(f"runs-{runs}", OURS.bundle, OURS.migrations)


def _counting(size: Size) -> Size:
    """Send one request after the other, because concurrent requests share batches."""
    return Size(calls=min(size.calls, COUNTED_CALLS), connections=1)


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 2) if known else None


def _ratio(ours: list[float | None], others: list[float | None]) -> float | None:
    ratios = [a / b for a, b in zip(ours, others, strict=True) if a and b]
    return round(statistics.median(ratios), 2) if ratios else None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def _measure(services: Running, names: list[str], given: argparse.Namespace) -> Any:
    size = Size(given.calls, given.connections, given.max_seconds, given.sockets, given.updates)
    figures: dict[str, Any] = {}
    if "writes" in given.parts:
        figures |= await compare_writes(services, names, size, given.rounds)
        figures["d1_per_call"] = await count_usage(services, names, size)
    if "sockets" in given.parts:
        figures["sockets"] = await compare_sockets(services, names, size)
    if "lists" in given.parts:
        for runs in given.lists:
            seed(services, list_service(runs).name, runs)
            _say(f"seeded {runs} runs")
        figures["lists"] = await compare_lists(services, given.lists, size, given.rounds)
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, measure, and print JSON.

    Returns:
        the exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--other", type=Path, help="a bundle of the service to compare with")
    parser.add_argument("--other-migrations", type=Path, help="the folder with its .sql files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=600, help="of each kind, in each round")
    parser.add_argument("--connections", type=int, default=Size.connections)
    parser.add_argument("--max-seconds", type=float, default=Size.max_seconds, help="of each kind")
    parser.add_argument("--sockets", type=numbers, default=Size.sockets)
    parser.add_argument("--updates", type=int, default=Size.updates, help="that the sockets watch")
    parser.add_argument("--lists", type=numbers, default=(1_000, 100_000, 1_000_000))
    parser.add_argument("--parts", default="writes,sockets,lists", help="the parts to measure")
    given = parser.parse_args(arguments)
    if given.other is not None and given.other_migrations is None:
        parser.error("--other needs --other-migrations")
    compared = [OURS]
    if given.other is not None:
        compared.append(Service(OTHER, given.other, given.other_migrations))
    lists = [list_service(runs) for runs in given.lists] if "lists" in given.parts else []
    with running([*compared, *lists]) as services:
        names = [service.name for service in compared]
        figures = asyncio.run(_measure(services, names, given))
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
