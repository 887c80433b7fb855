"""Queues: Cloudflare generates an ID, and names are unique in an account."""

from flowflare.kinds.stores import NamedStore


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
    id_key = "queue_id"
