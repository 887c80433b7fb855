"""Queues: Cloudflare generates an ID, and names are unique in an account."""

from typing import Any

from flowflare.kinds.handler import Made
from flowflare.kinds.spelling import pick_attributes
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

    def parse_answer(self, new: Props, answer: Any) -> Made:
        """Return the queue that Cloudflare's response describes."""
        return Made(str(answer["queue_id"]), {**pick_attributes(answer, self.attributes), **new})
