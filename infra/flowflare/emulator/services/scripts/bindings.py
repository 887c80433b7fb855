"""A version's bindings: what an upload asks for becomes the whole list, if the account has it all.

An upload replaces bindings wholesale; what shall stay is named one by one (`inherit`) or by type
(`keep_bindings`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes, target_codes
from flowflare.emulator.services.scripts.classes import Ledger
from flowflare.emulator.services.scripts.script import Binding

# What a binding must have, by its type; the types that point to something are checked further.
_REQUIRED_PARTS: Mapping[str, tuple[str, ...]] = {
    "analytics_engine": ("dataset",),
    "dispatch_namespace": ("namespace",),
    "durable_object_namespace": ("class_name",),
    "hyperdrive": ("id",),
    "kv_namespace": ("namespace_id",),
    "mtls_certificate": ("certificate_id",),
    "pipelines": ("pipeline",),
    "queue": ("queue_name",),
    "r2_bucket": ("bucket_name",),
    "ratelimit": ("namespace_id",),
    "secret_key": ("format",),
    "secrets_store_secret": ("store_id", "secret_name"),
    "service": ("service",),
    "tail_consumer": ("service",),
    "vectorize": ("index_name",),
    "workflow": ("workflow_name",),
}
_PERIODS = (10, 60)
_SECRET_PARTS = {"secret_text": ("text",), "secret_key": ("key_base64", "key_jwk")}


@dataclass(frozen=True)
class Surroundings:
    """What else is in the account, as far as bindings may point to it."""

    script: str
    """The script being uploaded."""
    scripts: Collection[str]
    databases: Collection[str]
    workflows: Collection[str]
    ledger: Ledger
    exported: Collection[str]
    """The classes the new version exports."""
    targets: Collection[tuple[str, str]] = ()
    """KV namespaces, R2 buckets, queues and the like: (kind, what bindings call it)."""


def resolve(
    asked: Sequence[Binding], previous: Sequence[Binding], kept: Collection[str], *, strict: bool
) -> list[Binding]:
    """The whole list of bindings of the new version.

    Args:
        asked: the upload's list.
        previous: the bindings of the live version.
        kept: `keep_bindings`, types whose bindings stay unless the upload names them.
        strict: whether an `inherit` that finds nothing is refused rather than dropped.

    Raises:
        Refusal: 10052 a binding without a name, 10053 a name twice, 10057 nothing to inherit.
    """
    before = {each["name"]: each for each in previous}
    resolved: dict[str, Binding] = {}
    missing: list[str] = []
    for each in asked:
        name = _name(each, {*resolved, *missing})
        found = _inherited(each, before) if each.get("type") == "inherit" else each
        if found is None:
            missing.append(name)
        else:
            resolved[name] = {key: value for key, value in found.items() if value is not None}
    if missing and strict:
        raise codes.inherited_missing(missing)
    for name, each in before.items():
        if each["type"] in kept:
            resolved.setdefault(name, each)
    return sorted(resolved.values(), key=lambda each: str(each["name"]))


def _name(binding: Binding, taken: Collection[str]) -> str:
    name = binding.get("name")
    if not isinstance(name, str) or not name:
        raise codes.binding_without_name()
    if name in taken:
        raise codes.binding_name_twice(name)
    if not isinstance(binding.get("type"), str) or not binding["type"]:
        raise codes.invalid_script(f"binding {name} must have a valid `type` specified")
    return name


def _inherited(asked: Binding, before: Mapping[str, Binding]) -> Binding | None:
    found = before.get(str(asked.get("old_name") or asked["name"]))
    return {**found, "name": asked["name"]} if found else None


def check(bindings: Sequence[Binding], around: Surroundings) -> None:
    """Refuses a binding whose target is not there.

    A type that is not known here is taken as it is.

    Raises:
        Refusal: 10021, 10041, 10061, 10085, 10143, 10157, 10159, 10181, 10200 or 11000.
    """
    for each in bindings:
        for key in _REQUIRED_PARTS.get(str(each.get("type")), ()):
            _required(each, key)
        checker = _CHECKERS.get(str(each.get("type")))
        if checker:
            checker(each, around)


def without_secrets(binding: Binding) -> dict[str, Any]:
    """A binding as answers show it."""
    hidden = _SECRET_PARTS.get(str(binding["type"]), ())
    return {key: value for key, value in binding.items() if key not in hidden}


def is_secret(binding: Binding) -> bool:
    """Whether the binding holds a value that no answer shows."""
    return binding["type"] in _SECRET_PARTS


def owner(binding: Binding, script: str) -> str:
    """The script a Durable Object or Workflow binding of `script` points to."""
    return str(binding.get("script_name") or script)


def _database(binding: Binding, around: Surroundings) -> None:
    wanted = binding.get("id") or binding.get("database_id")
    if not wanted:
        raise codes.invalid_script(
            f"binding {binding['name']} of type d1 must have a valid `id` specified"
        )
    if wanted not in around.databases:
        raise codes.database_in_binding(str(binding["name"]), str(wanted))


def _service(binding: Binding, around: Surroundings) -> None:
    if binding["service"] not in around.scripts:
        raise codes.service_in_binding(str(binding["name"]), binding["service"])


def _object(binding: Binding, around: Surroundings) -> None:
    name, script = str(binding["class_name"]), owner(binding, around.script)
    if script not in around.scripts:
        raise codes.class_in_no_script(name, script)
    if script == around.script and name not in around.exported:
        raise codes.class_not_exported(name)
    if (script, name) not in around.ledger:
        raise codes.class_not_configured(name)


def _workflow(binding: Binding, around: Surroundings) -> None:
    wanted, script = str(binding["workflow_name"]), owner(binding, around.script)
    # A script is uploaded before its own Workflows are made, as wrangler does.
    own = script == around.script and binding.get("class_name")
    if not own and wanted not in around.workflows:
        raise codes.workflow_in_binding(str(binding["name"]), wanted)


def _text(binding: Binding, around: Surroundings) -> None:  # noqa: ARG001 -- one shape for all
    _required(binding, "text", empty=True)


def _json(binding: Binding, around: Surroundings) -> None:  # noqa: ARG001
    if "json" not in binding:
        raise codes.invalid_script(
            f"binding {binding['name']} of type json must have a valid `json` specified"
        )


def _namespace(binding: Binding, around: Surroundings) -> None:
    if ("kv", binding["namespace_id"]) not in around.targets:
        raise target_codes.namespace_in_binding(binding["namespace_id"])


def _bucket(binding: Binding, around: Surroundings) -> None:
    if ("r2", binding["bucket_name"]) not in around.targets:
        raise target_codes.bucket_in_binding(binding["bucket_name"])


def _queue(binding: Binding, around: Surroundings) -> None:
    if ("queue", binding["queue_name"]) not in around.targets:
        raise target_codes.queue_in_binding(binding["queue_name"])


def _hyperdrive(binding: Binding, around: Surroundings) -> None:
    if ("hyperdrive", binding["id"]) not in around.targets:
        raise target_codes.hyperdrive_in_binding(str(binding["name"]), binding["id"])


def _index(binding: Binding, around: Surroundings) -> None:
    if ("vectorize", binding["index_name"]) not in around.targets:
        raise target_codes.index_in_binding(str(binding["name"]), binding["index_name"])


def _rate(binding: Binding, around: Surroundings) -> None:  # noqa: ARG001
    simple = binding.get("simple")
    rate = simple if isinstance(simple, Mapping) else {}
    limit = rate.get("limit")
    if not isinstance(limit, int) or limit < 1 or rate.get("period") not in _PERIODS:
        raise codes.invalid_script(
            f"binding {binding['name']} of type ratelimit must have a valid `simple` specified: "
            "`limit` is at least 1, `period` is 10 or 60"
        )


def _key(binding: Binding, around: Surroundings) -> None:  # noqa: ARG001
    if not binding.get("key_base64") and not binding.get("key_jwk"):
        raise codes.invalid_script(
            f"binding {binding['name']} of type secret_key must have a valid `key_base64` or "
            "`key_jwk` specified"
        )


def _required(binding: Binding, key: str, *, empty: bool = False) -> None:
    value = binding.get(key)
    if isinstance(value, str) and (value or empty):
        return
    raise codes.invalid_script(
        f"binding {binding['name']} of type {binding['type']} must have a valid `{key}` specified"
    )


_CHECKERS: Mapping[str, Callable[[Binding, Surroundings], None]] = {
    "d1": _database,
    "service": _service,
    "durable_object_namespace": _object,
    "workflow": _workflow,
    "secret_text": _text,
    "plain_text": _text,
    "json": _json,
    "kv_namespace": _namespace,
    "r2_bucket": _bucket,
    "queue": _queue,
    "hyperdrive": _hyperdrive,
    "vectorize": _index,
    "ratelimit": _rate,
    "secret_key": _key,
}
