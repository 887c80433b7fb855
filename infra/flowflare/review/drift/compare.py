"""Compare one stack's state with its account, and name a remedy for each difference."""

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Final

from flowflare.config.engine import EngineName
from flowflare.errors import ApiError, FlowflareError, SecretError
from flowflare.kinds import workers_script
from flowflare.kinds.account import Account
from flowflare.kinds.contract import load_drift
from flowflare.kinds.drifted import Action, Drifted, Unknown
from flowflare.kinds.registry import KINDS, find_kind
from flowflare.kinds.scene import Record, Scene, text
from flowflare.review.drift.model import StackDrift
from flowflare.review.words import shorten_type
from flowflare.state.checkpoint import Deployment, Pending, Resource
from flowflare.values import show
from flowflare.values.properties import UNKNOWN, Props, Secret, Value
from flowflare.values.urns import name_of

_SECRETS: Final = (
    "Secrets are compared by name: Cloudflare does not return their values, nor whether one was "
    "overwritten."
)


def compare_with_account(
    deployment: Deployment, account: Account, *, stack: str, engine: EngineName
) -> StackDrift:
    """Find what has drifted in a stack.

    Args:
        deployment: the stack's state. Secrets that the account shows are decrypted in memory.
        account: the stack's account.
        stack: the stack's name.
        engine: the engine whose state it is.
    """
    scene, before = make_scene(deployment), account.calls
    found: list[Drifted] = []
    error = ""
    try:
        found.extend(
            each.model_copy(update={"remedy": _write_remedy(each.action, stack, engine)})
            for each in _find_differences(scene, account)
        )
    except ApiError as problem:
        error = str(problem)
    found.sort(key=lambda each: (each.severity, each.resource, each.type, each.path, each.kind))
    unknown = [
        *scene.unknown,
        *_list_not_compared(scene),
        *map(_make_interrupted, deployment.pending),
    ]
    compared = sum(len(scene.of_kind(kind)) for kind in KINDS if load_drift(kind) is not None)
    return StackDrift(
        stack=stack,
        engine=engine,
        resources=compared,
        api_calls=account.calls - before,
        findings=tuple(found),
        unknown=tuple(unknown),
        unseen=(*scene.unseen, *([_SECRETS] if scene.scripts else [])),
        error=error,
    )


def make_failed(stack: str, engine: EngineName, error: FlowflareError | str) -> StackDrift:
    """Return the result for a stack that could not be compared."""
    return StackDrift(stack=stack, engine=engine, resources=0, api_calls=0, error=str(error))


def _find_differences(scene: Scene, account: Account) -> Iterator[Drifted]:
    for kind in KINDS:
        compare = load_drift(kind)
        if compare is not None:
            yield from compare(scene, account)


def make_scene(deployment: Deployment) -> Scene:
    """Make the scene of a state. Properties that are secret as a whole are decrypted in memory.

    A property that cannot be decrypted becomes `UNKNOWN`, and is listed as unknown.
    """
    unknown: list[Unknown] = []
    found: dict[str, list[Record]] = {}
    for resource in deployment.resources:
        if resource.custom and not (
            resource.delete or resource.external or resource.pending_replacement
        ):
            record = (
                _decrypt_record(resource, unknown)
                if _is_compared(resource.type)
                else _make_record(resource, resource.inputs, {})
            )
            found.setdefault(resource.type, []).append(record)
    resources = {type_: tuple(records) for type_, records in found.items()}
    scripts = {
        text(resource, "scriptName"): resource
        for resource in resources.get(workers_script.KIND.type, ())
    }
    return Scene(resources, scripts, unknown=unknown)


def _make_record(resource: Resource, inputs: Props, outputs: Props) -> Record:
    return Record(resource.name, resource.type, resource.id, inputs, outputs)


def _decrypt_record(resource: Resource, unknown: list[Unknown]) -> Record:
    """Decrypt the record's secret properties, as far as possible."""

    def decrypt_props(props: Props) -> Props:
        return {
            key: _decrypt(resource, key, value, unknown) if isinstance(value, Secret) else value
            for key, value in props.items()
            if not key.startswith("__")  # the Pulumi CLI's own bookkeeping
        }

    computed = {key: value for key, value in resource.outputs.items() if key not in resource.inputs}
    return _make_record(resource, decrypt_props(resource.inputs), decrypt_props(computed))


def _decrypt(resource: Resource, key: str, value: Secret, unknown: list[Unknown]) -> Value:
    """Decrypt a secret, which stays marked as secret; a list becomes its items by name."""
    try:
        named = show.secret_names(value)
    except SecretError as error:
        message = f"{key} is secret in state and cannot be decrypted: {error.message}"
        unknown.append(Unknown(resource=resource.name, type=resource.type, message=message))
        return UNKNOWN
    return value if named is None else list(named.values())


def mark_allowed(found: StackDrift, reasons: Mapping[str, str]) -> StackDrift:
    """Mark what is allowed to be unknown in a result.

    Args:
        found: the result of a stack.
        reasons: the reason by the name of a stack or resource, or by a type token.
    """

    def mark_unknown(item: Unknown) -> Unknown:
        names = (found.stack, item.resource, item.type)
        reason = next((reasons[name] for name in names if name in reasons), "")
        return item.model_copy(update={"allowed": reason}) if reason else item

    unknown = [mark_unknown(item).model_dump() for item in found.unknown]
    return StackDrift.model_validate({**found.model_dump(), "unknown": unknown})


def _make_interrupted(pending: Pending) -> Unknown:
    message = "an interrupted run left its state unknown; run `flowflare up` first"
    name = name_of(pending.resource.urn)
    return Unknown(resource=name, type=pending.resource.type, message=message)


def _list_not_compared(scene: Scene) -> Iterator[Unknown]:
    for type_, records in sorted(scene.resources.items(), key=lambda item: shorten_type(item[0])):
        if not _is_in_no_account(type_) and not _is_compared(type_):
            for record in sorted(records, key=lambda each: each.name):
                message = "drift detection does not support this resource type"
                yield Unknown(resource=record.name, type=record.type, message=message)


def _is_compared(type_: str) -> bool:
    kind = find_kind(type_)
    return kind is not None and load_drift(kind) is not None


def _is_in_no_account(type_: str) -> bool:
    """Return whether the account does not have the type: providers, components, secret values."""
    kind = find_kind(type_)
    return type_.startswith("pulumi:") or (kind is not None and kind.is_dynamic)


def _write_remedy(action: Action, stack: str, engine: EngineName) -> str:
    return _REMEDIES[engine][action].format(stack=quote(stack))


_UP: Final = "pulumi refresh --stack {stack}, then flowflare up --stack {stack}"
_RESTORE: Final = (
    "`up` does not restore this. Look first: flowflare migrations status --stack {stack}; for "
    "data: flowflare migrations restore (Time Travel)"
)
_PULUMI: Final[Mapping[Action, str]] = {
    "put-back": f"Restore what state has: {_UP}",
    "adopt": f"To keep it, add it to the configuration; to remove it: {_UP}",
    "restore": _RESTORE,
    "remake": f"Create it again: {_UP}",
    "remove": "Import it with pulumi import, or delete it where it was created",
}
# The embedded engine has no refresh: it acts only on differences between program and state.
_EMBEDDED: Final[Mapping[Action, str]] = {
    "put-back": "Undo the change where it was made; or change the resource in the program, so that "
    "flowflare up --stack {stack} writes all of it",
    "adopt": "To keep it, add it to the configuration and run flowflare up --stack {stack}; "
    "to remove it, delete it where it was created",
    "restore": _RESTORE,
    "remake": "State still has it: flowflare destroy --stack {stack} and flowflare up create "
    "everything again",
    "remove": "Delete it where it was created, or add it to the program",
}
_REMEDIES: Final[Mapping[EngineName, Mapping[Action, str]]] = {
    "embedded": _EMBEDDED,
    "pulumi": _PULUMI,
}
