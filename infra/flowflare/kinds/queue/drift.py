"""Compares queues: whether they exist, and their names."""

from collections.abc import Iterator

from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.found import compare_by_id
from flowflare.kinds.queue import KIND
from flowflare.kinds.scene import Scene


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in a stack's queues."""
    records = scene.of_kind(KIND)
    rows = account.read_list("/queues") if records else ()
    live = {str(row["queue_id"]): row for row in rows}
    yield from compare_by_id(records, live, ("queueName",), "queue")
