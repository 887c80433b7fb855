"""KV namespaces."""

from flowflare.kinds.contract import Kind, Own, Shared

KIND = Kind(
    type="cloudflare:index/workersKvNamespace:WorkersKvNamespace",
    folder=__name__,
    apply="WorkersKvNamespace",
    risk=Shared("flowflare.kinds.store_verbs:assess"),
    calls="flowflare.kinds.one_request:count_calls",
    drift=Shared("flowflare.kinds.store_verbs:compare"),
    adopt=Shared("flowflare.kinds.store_verbs:find"),
    settings="KvNamespaceSettings",
    declare=Shared("flowflare.kinds.declare_store:declare_store"),
    own=Own("kvNamespace", "KV namespace", "kv_namespace", "its keys"),
    holds_data=True,
    is_owned=True,
)
