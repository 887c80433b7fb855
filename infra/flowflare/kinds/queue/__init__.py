"""Queues."""

from flowflare.kinds.contract import Kind, Own

KIND = Kind(
    type="cloudflare:index/queue:Queue",
    folder=__name__,
    apply="Queue",
    risk="assess",
    calls="flowflare.kinds.one_request:count_calls",
    drift="compare",
    adopt="find",
    settings="QueueSettings",
    declare="declare_queue",
    own=Own("queue", "queue", "queue"),
    holds_data=True,
    is_owned=True,
)
