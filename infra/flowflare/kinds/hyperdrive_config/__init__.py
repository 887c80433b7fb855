"""Hyperdrive configurations."""

from flowflare.kinds.contract import Kind, Own, Shared

KIND = Kind(
    type="cloudflare:index/hyperdriveConfig:HyperdriveConfig",
    folder=__name__,
    apply="HyperdriveConfig",
    risk=Shared("flowflare.kinds.store_verbs:assess"),
    calls="flowflare.kinds.one_request:count_calls",
    drift=Shared("flowflare.kinds.store_verbs:compare"),
    adopt=Shared("flowflare.kinds.store_verbs:find"),
    settings="HyperdriveSettings",
    declare=Shared("flowflare.kinds.declare_store:declare_store"),
    own=Own("hyperdrive", "Hyperdrive configuration", "hyperdrive"),
    is_owned=True,
)
