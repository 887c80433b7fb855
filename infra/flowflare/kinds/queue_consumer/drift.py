"""Compare queue consumers: whether they exist, their script and their settings."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowflare.kinds import queue
from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_inputs
from flowflare.kinds.queue_consumer import KIND
from flowflare.kinds.scene import Record, Scene, make_finding, text

_COMPARED = ("scriptName", "deadLetterQueue", "settings")


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in a stack's consumers, and other consumers of its queues."""
    records = {text(record, "consumerId"): record for record in scene.of_kind(KIND)}
    queues = {record.id: record for record in scene.of_kind(queue.KIND)}
    if not records and not queues:
        return
    rows = account.read_list("/queues")
    live = {
        str(consumer["consumer_id"]): (row, consumer)
        for row in rows
        for consumer in row.get("consumers") or ()
    }
    for identity, record in records.items():
        yield from _compare_consumer(record, live.get(identity, (None, None))[1])
    for identity, (row, consumer) in sorted(live.items()):
        if identity not in records and row.get("queue_id") in queues:
            script = script_of(consumer)
            message = f"queue {row['queue_name']} is consumed by {script or 'a pull consumer'}, "
            yield make_finding(
                queues[str(row["queue_id"])],
                "extra",
                f"{message}but is not in state",
                path="consumers",
                account=script,
                action="remove",
            )


def script_of(consumer: Mapping[str, Any]) -> str:
    """Return the script of a live consumer: `script` in lists, otherwise `script_name`."""
    return str(consumer.get("script_name") or consumer.get("script") or "")


def _compare_consumer(record: Record, live: Mapping[str, Any] | None) -> Iterator[Drifted]:
    label = text(record, "queueName") or text(record, "queueId")
    if live is None:
        message = f"queue {label} has no consumer; its messages wait"
        yield make_finding(
            record,
            "missing",
            message,
            state=text(record, "scriptName"),
            severity="error",
            action="remake",
        )
        return
    found = {**live, "script_name": script_of(live)}
    yield from compare_inputs(record, found, _COMPARED, f"consumer of queue {label}")
