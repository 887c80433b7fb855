"""Loads one running service and prints its figures as JSON.

`python -m bench.load --url http://127.0.0.1:8801 --key KEY`. It writes runs of type `bench` into
the service that it loads, so it refuses hosts other than this machine's without --allow-remote.
"""

import argparse
import asyncio
import ipaddress
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench import scenarios
from bench.http_calls import Measured, Target, drive
from bench.sockets import fan_out


@dataclass(frozen=True)
class Size:
    """How much is done: calls of each kind, at once, for how long, and watched by how many."""

    calls: int = 1000
    connections: int = 32
    max_seconds: float = 30.0
    sockets: tuple[int, ...] = (1, 50, 500)
    updates: int = 200


class Load:
    """One service under load; every method makes one series of calls."""

    def __init__(self, target: Target, size: Size) -> None:
        self._target = target
        self._size = size

    async def starts(self) -> tuple[Measured, list[str]]:
        """Starts runs.

        Returns:
            the measurement, and the runs that were started.
        """
        measured = await self._drive(scenarios.starts(self._size.calls), keep=True)
        begun = [answer for answer in measured.answers if answer.status == 200]
        return measured, [answer.json()["workflowId"] for answer in begun]

    async def run_updates(self, runs: Sequence[str]) -> Measured:
        """Takes runs through their lives; a quarter as many runs as calls, so all complete."""
        some = runs[: max(1, self._size.calls // len(scenarios.RUN_LIFE))]
        return await self._drive(scenarios.run_updates(some, self._size.calls))

    async def step_updates(self, runs: Sequence[str]) -> Measured:
        """Begins and completes steps."""
        some = runs[: max(1, self._size.calls // 4)]
        return await self._drive(scenarios.step_updates(some, self._size.calls))

    async def gets(self, runs: Sequence[str]) -> Measured:
        """Reads runs with their steps."""
        return await self._drive(scenarios.gets(runs, self._size.calls))

    async def lists(self, query: dict[str, Any]) -> Measured:
        """Reads the first page of a list."""
        return await self._drive(scenarios.lists(query, self._size.calls))

    async def fan_out(self, sockets: int) -> dict[str, Any]:
        """Has sockets watch while runs are updated; the runs are started for it.

        Returns:
            the figures.
        """
        count = max(2, self._size.updates // 3)  # A run's fourth update completes it.
        started = await self._drive(scenarios.starts(count), keep=True)
        runs = [answer.json()["workflowId"] for answer in started.answers]
        return await fan_out(
            self._target,
            runs,
            sockets=sockets,
            updates=self._size.updates,
            max_seconds=self._size.max_seconds,
        )

    async def _drive(self, calls: Any, *, keep: bool = False) -> Measured:
        return await drive(
            self._target,
            calls,
            connections=self._size.connections,
            max_seconds=self._size.max_seconds,
            keep=keep,
        )


async def measure(target: Target, size: Size) -> dict[str, Any]:
    """All figures of one service.

    Raises:
        OSError: it cannot be reached.
    """
    load = Load(target, size)
    started, runs = await load.starts()
    figures: dict[str, Any] = {"starts": started.figures()}
    if runs:
        # Steps first: they belong to runs that go on.
        figures["step_updates"] = (await load.step_updates(runs)).figures()
        figures["run_updates"] = (await load.run_updates(runs)).figures()
        figures["gets"] = (await load.gets(runs)).figures()
        figures["sockets"] = [await load.fan_out(sockets) for sockets in size.sockets]
    figures["lists"] = (await load.lists({})).figures()
    return figures


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine, by its name or address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def numbers(text: str) -> tuple[int, ...]:
    """Reads a list such as 1,50,500 from the command line."""
    return tuple(int(number) for number in text.split(",") if number)


def main(arguments: list[str] | None = None) -> int:
    """Reads the command line, loads the service, prints JSON.

    Returns:
        the exit code: 2 if the host is refused.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="the service's base URL")
    parser.add_argument("--key", required=True, help="a key that the service takes")
    parser.add_argument("--calls", type=int, default=Size.calls, help="of each kind")
    parser.add_argument("--connections", type=int, default=Size.connections)
    parser.add_argument("--max-seconds", type=float, default=Size.max_seconds, help="of each kind")
    parser.add_argument("--sockets", type=numbers, default=Size.sockets, help="such as 1,50,500")
    parser.add_argument("--updates", type=int, default=Size.updates, help="that the sockets watch")
    parser.add_argument("--allow-remote", action="store_true", help="load another machine")
    given = parser.parse_args(arguments)
    if not (is_loopback(given.url) or given.allow_remote):
        print(f"{given.url} is not on this machine: --allow-remote loads it all the same")
        return 2
    size = Size(given.calls, given.connections, given.max_seconds, given.sockets, given.updates)
    figures = asyncio.run(measure(Target(given.url, given.key), size))
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
