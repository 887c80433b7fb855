"""Queues."""

from flowflare.kinds.contract import Kind, Own, Shared

KIND = Kind(
    type="cloudflare:index/queue:Queue",
    folder=__name__,
    apply="Queue",
    risk=Shared("flowflare.kinds.store_verbs:assess"),
    calls="flowflare.kinds.one_request:count_calls",
    drift=Shared("flowflare.kinds.store_verbs:compare"),
    adopt=Shared("flowflare.kinds.store_verbs:find"),
    settings="QueueSettings",
    declare=Shared("flowflare.kinds.declare_store:declare_store"),
    own=Own("queue", "queue", "queue", "the messages that wait in it"),
    holds_data=True,
    is_owned=True,
)
