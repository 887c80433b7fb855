"""Finds queues by their name."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Thing, Wanted
from flowflare.kinds.queue.apply import Queue
from flowflare.kinds.spelling import picked


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The queue of exactly that name."""
    del findings
    name = wanted.text("queueName")
    row = next((one for one in account.listed("/queues") if one.get("queue_name") == name), None)
    if row is None:
        return None
    outputs = {**picked(row, Queue.attributes), **wanted.inputs}
    return Thing(str(row["queue_id"]), dict(wanted.inputs), outputs, name)
