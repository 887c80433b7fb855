"""Queues."""

from flowflare.kinds.contract import Kind, NotSupported

KIND = Kind(
    type="cloudflare:index/queue:Queue",
    folder=__name__,
    apply=NotSupported("The embedded engine does not make it yet: use the Pulumi CLI."),
    risk="assess",
    calls="flowflare.kinds.one_request:count_calls",
    drift=NotSupported("Drift does not compare it yet."),
    adopt=NotSupported("Adoption does not look for it yet."),
)
