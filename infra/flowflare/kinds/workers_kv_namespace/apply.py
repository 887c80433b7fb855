"""KV namespaces: Cloudflare generates an ID, and titles are unique in an account."""

from flowflare.kinds.stores import NamedStore


class WorkersKvNamespace(NamedStore):
    """`cloudflare:index/workersKvNamespace:WorkersKvNamespace`."""

    required = ("accountId", "title")
    replace_keys = ("accountId",)
    identity = ("accountId", "title")
    attributes = ("supportsUrlEncoding",)
    unserved = ("jurisdiction", "mode")
    listed_at = "/storage/kv/namespaces"
    title = "title"
    name_taken = 10014
    words = "KV namespace"
