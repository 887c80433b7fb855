"""Finds queues by their name."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.queue.apply import Queue
from flowflare.kinds.spelling import pick_attributes


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the queue of exactly that name."""
    del findings
    name = wanted.text("queueName")
    row = next(
        (queue for queue in account.read_list("/queues") if queue.get("queue_name") == name), None
    )
    if row is None:
        return None
    outputs = {**pick_attributes(row, Queue.attributes), **wanted.inputs}
    return Thing(str(row["queue_id"]), dict(wanted.inputs), outputs, name)
