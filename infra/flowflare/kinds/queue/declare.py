"""Registers a client's own queue."""

import pulumi

from flowflare.kinds.cloudflare import Queue
from flowflare.model.client import OwnSpec


def declare_queue(name: str, own: OwnSpec, account_id: str, opts: pulumi.ResourceOptions) -> Queue:
    """Declare a `Queue`."""
    return Queue(name, account_id=account_id, queue_name=own.name, opts=opts)
