"""Measure the live feed: how fast events reach one, fifty or five hundred WebSockets."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench.http_calls import Target, drive
from bench.scenarios import run_updates

OPENING_AT_ONCE = 25


class Frames:
    """Counts the events in frames; every socket gets the same texts, so each is parsed once."""

    def __init__(self) -> None:
        self._events: dict[str | bytes, int] = {}

    def events(self, text: str | bytes) -> int:
        """Return the number of updates in a frame."""
        if text not in self._events:
            frame = json.loads(text)
            is_update = frame["type"] == "update"
            self._events[text] = len(frame.get("batch", [None])) if is_update else 0
        return self._events[text]


async def fan_out(
    target: Target, runs: Sequence[str], *, sockets: int, updates: int, max_seconds: float
) -> dict[str, Any]:
    """Open sockets, make updates, and wait until every socket has received every update.

    Args:
        target: the service.
        runs: runs to update; they must not be finished.
        sockets: the number of watchers.
        updates: the number of updates.
        max_seconds: for making the updates, and again for receiving them.

    Returns:
        figures for JSON: events delivered per second, over all sockets.

    Raises:
        OSError: the service cannot be reached.
    """
    opening = asyncio.Semaphore(OPENING_AT_ONCE)

    async def open_socket() -> ClientConnection:
        async with opening:
            return await connect(
                _websocket_url(target.url),
                additional_headers={"X-API-Key": target.key},
                max_size=None,
                ping_interval=None,
                compression=None,
                open_timeout=30,
                proxy=None,
            )

    watchers = await asyncio.gather(*(open_socket() for _ in range(sockets)))
    frames = Frames()
    try:
        for watcher in watchers:
            await watcher.recv()  # the snapshot
        began = time.perf_counter()
        tasks = [asyncio.create_task(_watch(each, frames, updates)) for each in watchers]
        calls = run_updates(runs, updates)
        made = await drive(target, calls, connections=8, max_seconds=max_seconds)
        _, late = await asyncio.wait(tasks, timeout=max_seconds)
        seconds = time.perf_counter() - began
        for task in late:
            task.cancel()
        counts = [task.result() for task in tasks if task not in late]
    finally:
        await asyncio.gather(*(watcher.close() for watcher in watchers))
    figures: dict[str, Any] = {
        "sockets": sockets,
        "updates": made.statuses[200],
        "sockets_told_everything": sum(events >= updates for events, _ in counts),
        "frames_a_socket": round(sum(frame for _, frame in counts) / max(1, len(counts)), 1),
        "seconds": round(seconds, 3),
    }
    if figures["sockets_told_everything"] == sockets:
        figures["events_per_second"] = round(sockets * updates / seconds, 1)
    return figures


async def _watch(watcher: ClientConnection, frames: Frames, expected: int) -> tuple[int, int]:
    """Count events and frames until all expected events have arrived."""
    events = count = 0
    try:
        while events < expected:
            events += frames.events(await watcher.recv())
            count += 1
    except ConnectionClosed:
        pass  # Missing events are visible in the figures.
    return events, count


def _websocket_url(url: str) -> str:
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, "/api/tracker-websocket", "", ""))
