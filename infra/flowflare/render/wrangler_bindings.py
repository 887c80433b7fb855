"""Convert a binding from Cloudflare's API to wrangler's configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class _Spelling:
    """How wrangler's configuration spells one binding type.

    Attributes:
        key: the configuration's key, a list with an entry for each binding.
        renamed: fields that have other names in wrangler.
        name: the field for the binding's name.
        below: a key inside `key` that contains the list.
        alone: whether the key is a single mapping instead of a list.
    """

    key: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    name: str = "binding"
    below: str | None = None
    alone: bool = False


_TYPES: Mapping[str, _Spelling] = {
    "ai": _Spelling("ai", alone=True),
    "analytics_engine": _Spelling("analytics_engine_datasets"),
    "browser": _Spelling("browser", alone=True),
    "d1": _Spelling("d1_databases", {"id": "database_id"}),
    "dispatch_namespace": _Spelling("dispatch_namespaces"),
    "durable_object_namespace": _Spelling("durable_objects", name="name", below="bindings"),
    "hyperdrive": _Spelling("hyperdrive"),
    "kv_namespace": _Spelling("kv_namespaces", {"namespace_id": "id"}),
    "mtls_certificate": _Spelling("mtls_certificates"),
    "queue": _Spelling("queues", {"queue_name": "queue"}, below="producers"),
    "r2_bucket": _Spelling("r2_buckets"),
    "ratelimit": _Spelling("ratelimits", name="name"),
    "secrets_store_secret": _Spelling("secrets_store_secrets"),
    "service": _Spelling("services"),
    "vectorize": _Spelling("vectorize"),
    "version_metadata": _Spelling("version_metadata", alone=True),
    "workflow": _Spelling("workflows", {"workflow_name": "name"}),
}


def add_binding(config: dict[str, Any], binding: Mapping[str, Any]) -> None:
    """Add a binding to a wrangler configuration.

    A type that wrangler has no key for is passed to the API unchanged, below `unsafe`.

    Args:
        config: the configuration, which is changed.
        binding: the binding in the API's form, without secrets.
    """
    kind, name = binding["type"], binding["name"]
    if kind in ("plain_text", "json"):
        config.setdefault("vars", {})[name] = binding["text" if kind == "plain_text" else "json"]
        return
    words = _TYPES.get(kind)
    # wrangler's rate limits do not support a mitigation timeout.
    beyond = kind == "ratelimit" and "mitigation_timeout" in binding["simple"]
    if words is None or beyond:
        config.setdefault("unsafe", {}).setdefault("bindings", []).append(dict(binding))
        return
    fields = {key: value for key, value in binding.items() if key not in ("type", "name")}
    entry = {words.name: name}
    entry |= {words.renamed.get(key, key): value for key, value in fields.items()}
    if kind == "dispatch_namespace" and "outbound" in entry:
        entry["outbound"] = _flatten_outbound(entry["outbound"])
    if words.alone:
        config[words.key] = entry
    elif words.below is None:
        config.setdefault(words.key, []).append(entry)
    else:
        config.setdefault(words.key, {}).setdefault(words.below, []).append(entry)


def _flatten_outbound(outbound: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten the outbound Worker as wrangler writes it, without `worker`."""
    flat = dict(outbound["worker"])
    return flat | ({"parameters": outbound["params"]} if "params" in outbound else {})
