"""Resolve and check a version's bindings against what exists in the account.

An upload replaces all bindings. To keep a binding, the upload lists its name (`inherit`) or its
type (`keep_bindings`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import class_codes, codes
from flowflare.emulator.services.scripts.classes import Ledger
from flowflare.emulator.services.scripts.script import Binding
from flowflare.emulator.services.targets.kinds import BY_BINDING, KINDS

# The required properties of each binding type. Types with a target are checked further.
_REQUIRED_PARTS: Mapping[str, tuple[str, ...]] = {
    "analytics_engine": ("dataset",),
    "dispatch_namespace": ("namespace",),
    "durable_object_namespace": ("class_name",),
    "mtls_certificate": ("certificate_id",),
    "pipelines": ("pipeline",),
    "ratelimit": ("namespace_id",),
    "secret_key": ("format",),
    "secrets_store_secret": ("store_id", "secret_name"),
    "service": ("service",),
    "tail_consumer": ("service",),
    "workflow": ("workflow_name",),
    **{kind.binding: (kind.bound_by,) for kind in KINDS},
}
_PERIODS = (10, 60)
_SECRET_PARTS = {"secret_text": ("text",), "secret_key": ("key_base64", "key_jwk")}


@dataclass(frozen=True)
class Surroundings:
    """Hold what bindings may refer to in the account."""

    script: str
    """The script that is uploaded."""
    scripts: Collection[str]
    databases: Collection[str]
    workflows: Collection[str]
    ledger: Ledger
    exported: Collection[str]
    """The classes that the new version exports."""
    targets: Collection[tuple[str, str]] = ()
    """The targets of `KINDS`: (kind, name or ID in bindings)."""
    not_bindable: Collection[tuple[str, str]] = ()
    """Those that Workers may not be bound to."""


def resolve(
    asked: Sequence[Binding], previous: Sequence[Binding], kept: Collection[str], *, strict: bool
) -> list[Binding]:
    """Return all bindings of the new version.

    Args:
        asked: the upload's list.
        previous: the bindings of the live version.
        kept: `keep_bindings`, the types whose bindings stay unless the upload names them.
        strict: whether an `inherit` without a match is refused instead of dropped.

    Raises:
        Refusal: 10052 a binding without a name, 10053 a duplicate name, 10057 nothing to inherit.
    """
    before = {binding["name"]: binding for binding in previous}
    resolved: dict[str, Binding] = {}
    missing: list[str] = []
    for requested in asked:
        name = _read_name(requested, {*resolved, *missing})
        inherits = requested.get("type") == "inherit"
        binding = _inherit(requested, before) if inherits else requested
        if binding is None:
            missing.append(name)
        else:
            resolved[name] = {key: value for key, value in binding.items() if value is not None}
    if missing and strict:
        raise codes.inherited_missing(missing)
    for name, binding in before.items():
        if binding["type"] in kept:
            resolved.setdefault(name, binding)
    return sorted(resolved.values(), key=lambda binding: str(binding["name"]))


def _read_name(binding: Binding, used: Collection[str]) -> str:
    name = binding.get("name")
    if not isinstance(name, str) or not name:
        raise codes.binding_without_name()
    if name in used:
        raise codes.binding_name_twice(name)
    if not isinstance(binding.get("type"), str) or not binding["type"]:
        raise codes.invalid_script(f"binding {name} must have a valid `type` specified")
    return name


def _inherit(asked: Binding, before: Mapping[str, Binding]) -> Binding | None:
    binding = before.get(str(asked.get("old_name") or asked["name"]))
    return {**binding, "name": asked["name"]} if binding else None


def check(bindings: Sequence[Binding], around: Surroundings) -> None:
    """Refuse a binding whose target does not exist.

    A binding of an unknown type is accepted unchecked.

    Raises:
        Refusal: 10021, 10041, 10061, 10085, 10143, 10157, 10159, 10181, 10200 or 11000.
    """
    for binding in bindings:
        for key in _REQUIRED_PARTS.get(str(binding.get("type")), ()):
            _require(binding, key)
        checker = _CHECKERS.get(str(binding.get("type")))
        if checker:
            checker(binding, around)


def without_secrets(binding: Binding) -> dict[str, Any]:
    """Return a binding as answers show it."""
    hidden = _SECRET_PARTS.get(str(binding["type"]), ())
    return {key: value for key, value in binding.items() if key not in hidden}


def is_secret(binding: Binding) -> bool:
    """Return whether the binding has a value that answers never show."""
    return str(binding["type"]) in _SECRET_PARTS


def owner(binding: Binding, script: str) -> str:
    """Return the script that a Durable Object or Workflow binding of `script` refers to."""
    return str(binding.get("script_name") or script)


def _check_database(binding: Binding, around: Surroundings) -> None:
    wanted = binding.get("id") or binding.get("database_id")
    if not wanted:
        raise codes.invalid_script(
            f"binding {binding['name']} of type d1 must have a valid `id` specified"
        )
    if wanted not in around.databases:
        raise codes.database_in_binding(str(binding["name"]), str(wanted))


def _check_service(binding: Binding, around: Surroundings) -> None:
    if binding["service"] not in around.scripts:
        raise codes.service_in_binding(str(binding["name"]), binding["service"])


def _check_object(binding: Binding, around: Surroundings) -> None:
    name, script = str(binding["class_name"]), owner(binding, around.script)
    if script not in around.scripts:
        raise class_codes.class_in_no_script(name, script)
    if script == around.script and name not in around.exported:
        raise class_codes.class_not_exported(name)
    if (script, name) not in around.ledger:
        raise class_codes.class_not_configured(name)


def _check_workflow(binding: Binding, around: Surroundings) -> None:
    wanted, script = str(binding["workflow_name"]), owner(binding, around.script)
    # A script is uploaded before its own Workflows are created, as wrangler does.
    own = script == around.script and binding.get("class_name")
    if not own and wanted not in around.workflows:
        raise codes.workflow_in_binding(str(binding["name"]), wanted)


def _check_text(binding: Binding, around: Surroundings) -> None:  # noqa: ARG001 -- all checkers have one signature
    _require(binding, "text", empty=True)


def _check_json(binding: Binding, around: Surroundings) -> None:  # noqa: ARG001
    if "json" not in binding:
        raise codes.invalid_script(
            f"binding {binding['name']} of type json must have a valid `json` specified"
        )


def _check_target(binding: Binding, around: Surroundings) -> None:
    kind = BY_BINDING[str(binding["type"])]
    wanted = kind.name_in(binding)
    if (kind.name, wanted) not in around.targets:
        raise kind.unbound(binding=str(binding["name"]), name=wanted)
    if kind.not_bindable and (kind.name, wanted) in around.not_bindable:
        raise kind.not_bindable()


def _check_rate(binding: Binding, around: Surroundings) -> None:  # noqa: ARG001
    simple = binding.get("simple")
    rate = simple if isinstance(simple, Mapping) else {}
    limit = rate.get("limit")
    if not isinstance(limit, int) or limit < 1 or rate.get("period") not in _PERIODS:
        raise codes.invalid_script(
            f"binding {binding['name']} of type ratelimit must have a valid `simple` specified: "
            "`limit` is at least 1, `period` is 10 or 60"
        )


def _check_key(binding: Binding, around: Surroundings) -> None:  # noqa: ARG001
    if not binding.get("key_base64") and not binding.get("key_jwk"):
        raise codes.invalid_script(
            f"binding {binding['name']} of type secret_key must have a valid `key_base64` or "
            "`key_jwk` specified"
        )


def _require(binding: Binding, key: str, *, empty: bool = False) -> None:
    value = binding.get(key)
    if isinstance(value, str) and (value or empty):
        return
    raise codes.invalid_script(
        f"binding {binding['name']} of type {binding['type']} must have a valid `{key}` specified"
    )


_CHECKERS: Mapping[str, Callable[[Binding, Surroundings], None]] = {
    "d1": _check_database,
    "service": _check_service,
    "durable_object_namespace": _check_object,
    "workflow": _check_workflow,
    "secret_text": _check_text,
    "plain_text": _check_text,
    "json": _check_json,
    **dict.fromkeys(BY_BINDING, _check_target),
    "ratelimit": _check_rate,
    "secret_key": _check_key,
}
