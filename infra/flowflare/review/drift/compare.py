"""Compares one stack's state with its account and says what to do about each difference."""

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Final, Literal

from flowflare.errors import ApiError, FlowflareError
from flowflare.review.drift.account import Account
from flowflare.review.drift.addresses import compare_addresses
from flowflare.review.drift.classes import compare_classes
from flowflare.review.drift.databases import compare_databases
from flowflare.review.drift.model import Action, Drifted, StackDrift, Unknown
from flowflare.review.drift.scene import COMPARED, Scene
from flowflare.review.drift.workers import compare_scripts
from flowflare.state.checkpoint import Deployment, Pending
from flowflare.values.urns import name_of

Engine = Literal["embedded", "pulumi"]
#: Made by the stack and in no account, or there only as a binding.
_NOWHERE: Final = frozenset({"ApiKey", "SecretValue"})
_SECRETS: Final = (
    "Secrets are compared by name: nobody can read their values back, nor see that one was "
    "overwritten."
)


def drift(deployment: Deployment, account: Account, *, stack: str, engine: Engine) -> StackDrift:
    """What has drifted in a stack.

    Args:
        deployment: its state; of its secrets, those that the account shows are opened in memory.
        account: the account that it is in.
        stack: the stack's name.
        engine: whose state it is.
    """
    scene, before = Scene.of(deployment), account.calls
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
    compared = sum(len(records) for kind, records in scene.resources.items() if kind in COMPARED)
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


def failed(stack: str, engine: Engine, error: FlowflareError) -> StackDrift:
    """A stack that could not be looked at."""
    return StackDrift(stack=stack, engine=engine, resources=0, api_calls=0, error=str(error))


def _findings(scene: Scene, account: Account) -> Iterator[Drifted]:
    if scene.scripts:
        yield from compare_scripts(scene, account)
        yield from compare_addresses(scene, account)
        yield from compare_classes(scene, account)
    yield from compare_databases(scene, account)


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
    for kind, records in sorted(scene.resources.items()):
        ours = kind in COMPARED or kind in _NOWHERE or records[0].type.startswith("pulumi:")
        if not ours:
            for one in sorted(records, key=lambda each: each.name):
                message = "drift does not know this type of resource"
                yield Unknown(resource=one.name, type=one.type, message=message)


def _remedy(action: Action, stack: str, engine: Engine) -> str:
    return (_PULUMI if engine == "pulumi" else _EMBEDDED)[action].format(stack=quote(stack))


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
