"""Load one running service, and print its figures as JSON.

`python -m bench.load --url http://127.0.0.1:8801 --key KEY`. It writes runs of type `bench` into
the service, so it refuses hosts other than this machine without --allow-remote.
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
    """The amount of load: requests of each kind, concurrency, time, and number of watchers."""

    calls: int = 1000
    connections: int = 32
    max_seconds: float = 30.0
    sockets: tuple[int, ...] = (1, 50, 500)
    updates: int = 200


class Load:
    """Loads one service; every method sends one series of requests."""

    def __init__(self, target: Target, size: Size) -> None:
        self._target = target
        self._size = size

    async def starts(self) -> tuple[Measured, list[str]]:
        """Start runs.

        Returns:
            the measurement, and the started runs.
        """
        measured = await self._drive(scenarios.starts(self._size.calls), keep=True)
        begun = [answer for answer in measured.answers if answer.status == 200]
        return measured, [answer.json()["workflowId"] for answer in begun]

    async def run_updates(self, runs: Sequence[str]) -> Measured:
        """Take runs through their lives: a quarter as many as requests, so that all complete."""
        some = runs[: max(1, self._size.calls // len(scenarios.RUN_LIFE))]
        return await self._drive(scenarios.run_updates(some, self._size.calls))

    async def step_updates(self, runs: Sequence[str]) -> Measured:
        """Start and complete steps."""
        some = runs[: max(1, self._size.calls // 4)]
        return await self._drive(scenarios.step_updates(some, self._size.calls))

    async def gets(self, runs: Sequence[str]) -> Measured:
        """Read runs with their steps."""
        return await self._drive(scenarios.gets(runs, self._size.calls))

    async def lists(self, query: dict[str, Any]) -> Measured:
        """Read the first page of a list."""
        return await self._drive(scenarios.lists(query, self._size.calls))

    async def fan_out(self, sockets: int) -> dict[str, Any]:
        """Let sockets watch while runs are updated; the runs are started for this.

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
    """Measure everything for one service.

    Raises:
        OSError: the service cannot be reached.
    """
    load = Load(target, size)
    started, runs = await load.starts()
    figures: dict[str, Any] = {"starts": started.figures()}
    if runs:
        # Steps first, because their runs must not have ended.
        figures["step_updates"] = (await load.step_updates(runs)).figures()
        figures["run_updates"] = (await load.run_updates(runs)).figures()
        figures["gets"] = (await load.gets(runs)).figures()
        figures["sockets"] = [await load.fan_out(sockets) for sockets in size.sockets]
    figures["lists"] = (await load.lists({})).figures()
    return figures


def is_loopback(url: str) -> bool:
    """Return whether a URL's host is this machine, by name or address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def numbers(text: str) -> tuple[int, ...]:
    """Parse a list such as 1,50,500 from the command line."""
    return tuple(int(number) for number in text.split(",") if number)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, load the service, and print JSON.

    Returns:
        the exit code: 2 if the host is refused.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="the service's base URL")
    parser.add_argument("--key", required=True, help="a key that the service accepts")
    parser.add_argument("--calls", type=int, default=Size.calls, help="of each kind")
    parser.add_argument("--connections", type=int, default=Size.connections)
    parser.add_argument("--max-seconds", type=float, default=Size.max_seconds, help="of each kind")
    parser.add_argument("--sockets", type=numbers, default=Size.sockets, help="such as 1,50,500")
    parser.add_argument("--updates", type=int, default=Size.updates, help="that the sockets watch")
    parser.add_argument("--allow-remote", action="store_true", help="load another machine")
    given = parser.parse_args(arguments)
    if not (is_loopback(given.url) or given.allow_remote):
        print(f"{given.url} is not on this machine: use --allow-remote to load it anyway")
        return 2
    size = Size(given.calls, given.connections, given.max_seconds, given.sockets, given.updates)
    figures = asyncio.run(measure(Target(given.url, given.key), size))
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
