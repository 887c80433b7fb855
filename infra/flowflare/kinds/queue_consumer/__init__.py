"""Queue consumers: Workers that receive the messages of a queue."""

from flowflare.kinds.contract import Kind

KIND = Kind(
    type="cloudflare:index/queueConsumer:QueueConsumer",
    folder=__name__,
    apply="QueueConsumer",
    risk="assess",
    calls="flowflare.kinds.one_request:count_calls",
    drift="compare",
    adopt="find",
    declare="declare_consumers",
    settings="QueueConsumerSettings",
    wrangler="write",
)
