"""Describe each secret of a stack: source, binding, and whether `up` would change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any, Literal

from flowflare.model.bindings import SERVICE_KEY_BINDING
from flowflare.model.secret_sources import GeneratedSource, from_wire
from flowflare.rollout.rotation import Keys, generation_of
from flowflare.state.checkpoint import Deployment, Resource
from flowflare.values.events import Plan, Step
from flowflare.values.show import shown_props

_SECRET = "dynamic/flowflare:SecretValue"  # noqa: S105 -- a type
_KEY = "dynamic/flowflare:ApiKey"
#: What the next `up` does to a secret: nothing, fetch it again, create it, or remove it. It is
#: unknown if the source cannot be read here.
Pending = Literal["", "changes", "new", "removed", "unknown"]
_PENDING: Mapping[str, Pending] = {"create": "new", "delete": "removed", "same": ""}


@dataclass(frozen=True)
class SecretStatus:
    """One secret of a Worker.

    Attributes:
        name: its binding, with a dot and the field if only that field is secret.
        worker: the script that it is bound to.
        version: AWS's version ID, or the generation of a generated value.
        fingerprint: the deployed value's; None for a generated value and before the first `up`.
        since: when the deployed value was fetched or generated, RFC 3339.
        pending: what the next `up` does to it.
        reason: why that is unknown.
    """

    name: str
    worker: str
    resource: str
    source: str
    version: str | None
    fingerprint: str | None
    since: str | None
    pending: Pending
    reason: str = ""


@dataclass(frozen=True)
class KeyStatus:
    """One generation of the API key.

    Attributes:
        key_id: the part of the key that may be shown; None before the key is created.
        since: when the key was created, RFC 3339.
        bound_as: its binding in the service; None if the configuration does not accept it.
        in_use: whether the clients use it, according to the configuration.
        deployed: whether the state has it.
    """

    generation: int
    key_id: str | None
    since: str | None
    bound_as: str | None
    in_use: bool
    deployed: bool


def secret_statuses(plan: Plan, deployment: Deployment) -> tuple[SecretStatus, ...]:
    """List the secrets of a stack's Workers by resource, as planned and as deployed.

    Args:
        plan: what `up` would do. The sources were read for it.
    """
    records = {record.urn: record for record in deployment.resources if not record.delete}
    scripts = {step.name: _script(step) for step in plan.steps if step.name.endswith("-script")}
    return tuple(
        _secret(step, records.get(step.urn), scripts)
        for step in sorted(plan.steps, key=lambda step: step.name)
        if step.type.endswith(_SECRET) and not step.name.endswith("-fingerprint-key")
    )


def _secret(step: Step, record: Resource | None, scripts: Mapping[str, str]) -> SecretStatus:
    deployed = shown_props(record.outputs) if record else {}
    wanted: Mapping[str, Any] = step.new or deployed
    source = from_wire(wanted["source"])
    worker, _, _ = step.name.rpartition("-secret-")
    seen = str(wanted.get("fingerprint", ""))
    unknown = seen.startswith("[not known here: ")
    version = deployed.get("version")
    if isinstance(source, GeneratedSource):
        version = str(source.generation)
    return SecretStatus(
        name=wanted["secret_name"],
        worker=scripts.get(f"{worker}-script", worker),
        resource=step.name,
        source=str(source),
        version=version,
        fingerprint=deployed.get("fingerprint"),
        since=deployed.get("changed_at"),
        pending="unknown" if unknown else _PENDING.get(step.op, "changes"),
        reason=seen[len("[not known here: ") : -1] if unknown else "",
    )


def _script(step: Step) -> str:
    inputs = step.new or step.old or {}
    return str(inputs.get("scriptName", ""))


def key_statuses(keys: Keys, deployment: Deployment) -> tuple[KeyStatus, ...]:
    """List the generations of the API key that are accepted or deployed, newest first.

    Args:
        keys: the generations in the configuration.
    """
    records = {
        generation_of(record.name): record
        for record in deployment.resources
        if record.type.endswith(_KEY) and not record.delete
    }
    return tuple(
        _key(generation, records.get(generation), keys)
        for generation in sorted({*records, *keys.accepted}, reverse=True)
    )


def _key(generation: int, record: Resource | None, keys: Keys) -> KeyStatus:
    bound_as = None
    if generation in keys.accepted:
        in_use = generation == keys.in_use
        bound_as = SERVICE_KEY_BINDING if in_use else f"{SERVICE_KEY_BINDING}_{generation}"
    return KeyStatus(
        generation=generation,
        key_id=shown_props(record.outputs).get("key_id") if record else None,
        since=(record.created or None) if record else None,
        bound_as=bound_as,
        in_use=generation == keys.in_use,
        deployed=record is not None,
    )


def next_sentence(keys: Keys, deployed: frozenset[int], stack: str) -> str:
    """Suggest what to run next for the API key.

    Args:
        keys: the generations in the configuration.
        deployed: the generations in the state.
    """
    rotate = f"flowflare secrets rotate --stack {quote(stack)}"
    if not deployed:
        return f"Deploy the stack: flowflare up --stack {quote(stack)}"
    if keys.in_use != max(keys.accepted) or not deployed >= set(keys.accepted):
        return f"Continue the rotation: {rotate}"
    if keys.others:
        old = " and ".join(map(str, keys.others))
        return (
            f"Give callers outside the stack generation {keys.in_use} (flowflare outputs --stack "
            f"{quote(stack)} --show-secrets), then drop generation {old}: {rotate} --finish"
        )
    if deployed - set(keys.accepted):
        return f"Finish the last step: {rotate} --finish"
    return f"Rotate the API key when it is time: {rotate}"
