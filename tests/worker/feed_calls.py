"""The calls with which tests watch the live feed."""

import json
from collections.abc import Callable
from typing import Any

from websockets.sync.client import ClientConnection

from tests.support.waiting import PATIENCE

PATH = "/api/tracker-websocket"
FEED = "feed:v1"
Watch = Callable[..., ClientConnection]


def heard(socket: ClientConnection) -> dict[str, Any]:
    return json.loads(socket.recv(timeout=PATIENCE))


def heard_of(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next frame of a type, after updates of other tests' runs."""
    while (frame := heard(socket))["type"] == "update":
        pass
    assert frame["type"] == kind, frame
    return frame


def tell(socket: ClientConnection, kind: str, **params: object) -> None:
    socket.send(json.dumps({"type": kind, "params": params}))


def batch_of(frame: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a frame; none if it is not an update."""
    if frame["type"] != "update":
        return []
    return frame.get("batch", [frame["data"]])


def run_of(event: dict[str, Any]) -> str:
    row = event[event["type"]]
    return row.get("workflow_run_id", row["id"])


def events_of(socket: ClientConnection, run: str, count: int) -> list[dict[str, Any]]:
    """Return the next events of one run, and skip all others."""
    events: list[dict[str, Any]] = []
    while len(events) < count:
        events += [event for event in batch_of(heard(socket)) if run_of(event) == run]
    return events
