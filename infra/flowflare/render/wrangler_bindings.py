"""Says a binding of Cloudflare's API in the words of wrangler's configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class _Words:
    """How wrangler says one type.

    Attributes:
        key: the configuration's key, a list below which each binding is an entry.
        renamed: fields that are called otherwise.
        name: what the binding's name is called.
        below: a key inside `key`, where the list stands.
        alone: whether it is one mapping instead of a list.
    """

    key: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    name: str = "binding"
    below: str | None = None
    alone: bool = False


_TYPES: Mapping[str, _Words] = {
    "ai": _Words("ai", alone=True),
    "analytics_engine": _Words("analytics_engine_datasets"),
    "browser": _Words("browser", alone=True),
    "d1": _Words("d1_databases", {"id": "database_id"}),
    "dispatch_namespace": _Words("dispatch_namespaces"),
    "durable_object_namespace": _Words("durable_objects", name="name", below="bindings"),
    "hyperdrive": _Words("hyperdrive"),
    "kv_namespace": _Words("kv_namespaces", {"namespace_id": "id"}),
    "mtls_certificate": _Words("mtls_certificates"),
    "queue": _Words("queues", {"queue_name": "queue"}, below="producers"),
    "r2_bucket": _Words("r2_buckets"),
    "ratelimit": _Words("ratelimits", name="name"),
    "secrets_store_secret": _Words("secrets_store_secrets"),
    "service": _Words("services"),
    "vectorize": _Words("vectorize"),
    "version_metadata": _Words("version_metadata", alone=True),
    "workflow": _Words("workflows", {"workflow_name": "name"}),
}


def add_binding(config: dict[str, Any], binding: Mapping[str, Any]) -> None:
    """Adds a binding to a wrangler configuration.

    What wrangler has no key for goes to the API as it is, below `unsafe`.

    Args:
        config: the configuration, which gains it.
        binding: the binding as the API takes it, without secrets.
    """
    kind, name = binding["type"], binding["name"]
    if kind in ("plain_text", "json"):
        config.setdefault("vars", {})[name] = binding["text" if kind == "plain_text" else "json"]
        return
    words = _TYPES.get(kind)
    # wrangler's rate limiters have no time for which a caller stays refused.
    beyond = kind == "ratelimit" and "mitigation_timeout" in binding["simple"]
    if words is None or beyond:
        config.setdefault("unsafe", {}).setdefault("bindings", []).append(dict(binding))
        return
    fields = {key: value for key, value in binding.items() if key not in ("type", "name")}
    entry = {words.name: name}
    entry |= {words.renamed.get(key, key): value for key, value in fields.items()}
    if kind == "dispatch_namespace" and "outbound" in entry:
        entry["outbound"] = _outbound(entry["outbound"])
    if words.alone:
        config[words.key] = entry
    elif words.below is None:
        config.setdefault(words.key, []).append(entry)
    else:
        config.setdefault(words.key, {}).setdefault(words.below, []).append(entry)


def _outbound(outbound: Mapping[str, Any]) -> dict[str, Any]:
    """The outbound Worker as wrangler writes it, flat: without `worker`."""
    flat = dict(outbound["worker"])
    return flat | ({"parameters": outbound["params"]} if "params" in outbound else {})
