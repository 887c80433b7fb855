"""KV namespaces."""

from flowflare.kinds.contract import Kind, Own

KIND = Kind(
    type="cloudflare:index/workersKvNamespace:WorkersKvNamespace",
    folder=__name__,
    apply="WorkersKvNamespace",
    risk="assess",
    calls="flowflare.kinds.one_request:count_calls",
    drift="compare",
    adopt="find",
    settings="KvNamespaceSettings",
    declare="declare_namespace",
    own=Own("kvNamespace", "KV namespace", "kv_namespace"),
    holds_data=True,
    is_owned=True,
)
