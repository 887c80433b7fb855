"""Compares one stack's state with its account and says what to do about each difference."""

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
from flowflare.review.words import short_type
from flowflare.state.checkpoint import Deployment, Pending, Resource
from flowflare.values import show
from flowflare.values.properties import UNKNOWN, Props, Secret, Value
from flowflare.values.urns import name_of

_SECRETS: Final = (
    "Secrets are compared by name: nobody can read their values back, nor see that one was "
    "overwritten."
)


def drift(
    deployment: Deployment, account: Account, *, stack: str, engine: EngineName
) -> StackDrift:
    """What has drifted in a stack.

    Args:
        deployment: its state; of its secrets, those that the account shows are opened in memory.
        account: the account that it is in.
        stack: the stack's name.
        engine: whose state it is.
    """
    scene, before = scene_of(deployment), account.calls
    found: list[Drifted] = []
    error = ""
    try:
        found.extend(
            each.model_copy(update={"remedy": _remedy(each.action, stack, engine)})
            for each in _findings(scene, account)
        )
    except ApiError as problem:
        error = str(problem)
    found.sort(key=lambda one: (one.severity, one.resource, one.type, one.path, one.kind))
    unknown = [*scene.unknown, *_not_compared(scene), *map(_interrupted, deployment.pending)]
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


def failed(stack: str, engine: EngineName, error: FlowflareError | str) -> StackDrift:
    """A stack that could not be looked at."""
    return StackDrift(stack=stack, engine=engine, resources=0, api_calls=0, error=str(error))


def _findings(scene: Scene, account: Account) -> Iterator[Drifted]:
    for kind in KINDS:
        compare = load_drift(kind)
        if compare is not None:
            yield from compare(scene, account)


def scene_of(deployment: Deployment) -> Scene:
    """Make the scene of a state; properties that are secret as a whole are opened in memory.

    One that cannot be opened becomes `UNKNOWN`, and is noted among what is unknown.
    """
    unknown: list[Unknown] = []
    found: dict[str, list[Record]] = {}
    for one in deployment.resources:
        if one.custom and not (one.delete or one.external or one.pending_replacement):
            record = (
                _opened(one, unknown) if _is_compared(one.type) else _record(one, one.inputs, {})
            )
            found.setdefault(one.type, []).append(record)
    resources = {type_: tuple(records) for type_, records in found.items()}
    scripts = {text(one, "scriptName"): one for one in resources.get(workers_script.KIND.type, ())}
    return Scene(resources, scripts, unknown=unknown)


def _record(one: Resource, inputs: Props, outputs: Props) -> Record:
    return Record(one.name, one.type, one.id, inputs, outputs)


def _opened(one: Resource, unknown: list[Unknown]) -> Record:
    """The record with its secret properties opened, as far as they can be."""

    def opened(props: Props) -> Props:
        return {
            key: _open(one, key, value, unknown) if isinstance(value, Secret) else value
            for key, value in props.items()
            if not key.startswith("__")  # the real engine's own bookkeeping
        }

    computed = {key: value for key, value in one.outputs.items() if key not in one.inputs}
    return _record(one, opened(one.inputs), opened(computed))


def _open(one: Resource, key: str, value: Secret, unknown: list[Unknown]) -> Value:
    """A secret's value, still marked; a list's items by name, with names and types open."""
    try:
        named = show.secret_names(value)
    except SecretError as error:
        message = f"{key} is secret in state and cannot be opened: {error.message}"
        unknown.append(Unknown(resource=one.name, type=one.type, message=message))
        return UNKNOWN
    return value if named is None else list(named.values())


def allowing(found: StackDrift, reasons: Mapping[str, str]) -> StackDrift:
    """The result with what may be unknown marked so.

    Args:
        found: what was found in a stack.
        reasons: by the name of a stack or resource, or by a type's token, why it may be unknown.
    """

    def marked(one: Unknown) -> Unknown:
        names = (found.stack, one.resource, one.type)
        reason = next((reasons[name] for name in names if name in reasons), "")
        return one.model_copy(update={"allowed": reason}) if reason else one

    unknown = [marked(one).model_dump() for one in found.unknown]
    return StackDrift.model_validate({**found.model_dump(), "unknown": unknown})


def _interrupted(one: Pending) -> Unknown:
    message = "an interrupted run left it in doubt; run up first"
    name = name_of(one.resource.urn)
    return Unknown(resource=name, type=one.resource.type, message=message)


def _not_compared(scene: Scene) -> Iterator[Unknown]:
    for type_, records in sorted(scene.resources.items(), key=lambda item: short_type(item[0])):
        if not _is_in_no_account(type_) and not _is_compared(type_):
            for one in sorted(records, key=lambda each: each.name):
                message = "drift does not know this type of resource"
                yield Unknown(resource=one.name, type=one.type, message=message)


def _is_compared(type_: str) -> bool:
    kind = find_kind(type_)
    return kind is not None and load_drift(kind) is not None


def _is_in_no_account(type_: str) -> bool:
    """Whether it is a provider, a grouping, or a secret, which the account shows as a binding."""
    kind = find_kind(type_)
    return type_.startswith("pulumi:") or (kind is not None and kind.is_dynamic)


def _remedy(action: Action, stack: str, engine: EngineName) -> str:
    return _REMEDIES[engine][action].format(stack=quote(stack))


_UP: Final = "pulumi refresh --stack {stack}, then flowflare up --stack {stack}"
_RESTORE: Final = (
    "No `up` brings this back. Look first: flowflare migrations status --stack {stack}; for data, "
    "flowflare migrations restore (Time Travel)"
)
_PULUMI: Final[Mapping[Action, str]] = {
    "put-back": f"Put back what state says: {_UP}",
    "adopt": f"Keep it: write it into the configuration; or take it away: {_UP}",
    "restore": _RESTORE,
    "remake": f"Make it again: {_UP}",
    "remove": "Take it over with pulumi import, or delete it where it was made",
}
# The embedded engine has no refresh: it acts on what differs between program and state.
_EMBEDDED: Final[Mapping[Action, str]] = {
    "put-back": "Put it back where it was changed, or change the resource in the program: "
    "flowflare up --stack {stack} then writes all of it",
    "adopt": "Keep it: write it into the configuration and run flowflare up --stack {stack}; "
    "or take it away where it was made",
    "restore": _RESTORE,
    "remake": "State still has it: flowflare destroy --stack {stack} and flowflare up make all of "
    "it anew",
    "remove": "Delete it where it was made, or add it to the program",
}
_REMEDIES: Final[Mapping[EngineName, Mapping[Action, str]]] = {
    "embedded": _EMBEDDED,
    "pulumi": _PULUMI,
}
