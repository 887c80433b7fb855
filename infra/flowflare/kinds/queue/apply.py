"""Queues: Cloudflare gives an ID, and a name is one queue's in an account."""

from typing import Any

from flowflare.kinds.handler import Made
from flowflare.kinds.spelling import picked
from flowflare.kinds.stores import NamedStore
from flowflare.values.properties import Props


class Queue(NamedStore):
    """`cloudflare:index/queue:Queue`."""

    required = ("accountId", "queueName")
    replace_keys = ("accountId",)
    identity = ("accountId", "queueName")
    attributes = (
        "consumers",
        "consumersTotalCount",
        "createdOn",
        "modifiedOn",
        "producers",
        "producersTotalCount",
        "queueId",
        "settings",
    )
    volatile = ("modifiedOn",)
    unserved = ("jurisdiction",)
    listed_at = "/queues"
    title = "queueName"
    name_taken = 11009
    words = "queue"

    def made(self, new: Props, answer: Any) -> Made:
        """What was made, from Cloudflare's answer."""
        return Made(str(answer["queue_id"]), {**picked(answer, self.attributes), **new})
