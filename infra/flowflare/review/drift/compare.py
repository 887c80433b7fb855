"""Compare one stack's state with its account, and name a remedy for each difference."""

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Final

from flowflare.config.engine import EngineName
from flowflare.engine.live_scene import find_differences, is_compared, make_scene
from flowflare.errors import ApiError, FlowflareError
from flowflare.kinds.account import Account
from flowflare.kinds.contract import load_drift
from flowflare.kinds.drifted import Action, Drifted, Unknown
from flowflare.kinds.registry import KINDS, find_kind
from flowflare.kinds.scene import Scene
from flowflare.review.drift.model import StackDrift
from flowflare.review.words import shorten_type
from flowflare.state.checkpoint import Deployment, Pending
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
        engine: the engine whose state it is.
    """
    scene, before = make_scene(deployment), account.calls
    found: list[Drifted] = []
    error = ""
    try:
        found.extend(
            each.model_copy(update={"remedy": _write_remedy(each.action, stack)})
            for each in find_differences(scene, account)
        )
    except ApiError as problem:
        error = str(problem)
    found.sort(key=lambda each: (each.severity, each.resource, each.type, each.path, each.kind))
    unknown = [
        *scene.unknown,
        *_list_not_compared(scene),
        *(_make_interrupted(pending, stack) for pending in deployment.pending),
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


def mark_allowed(found: StackDrift, reasons: Mapping[str, str]) -> StackDrift:
    """Mark what is allowed to be unknown in a result.

    Args:
        reasons: the reason by the name of a stack or resource, or by a type token.
    """

    def mark_unknown(item: Unknown) -> Unknown:
        names = (found.stack, item.resource, item.type)
        reason = next((reasons[name] for name in names if name in reasons), "")
        return item.model_copy(update={"allowed": reason}) if reason else item

    unknown = [mark_unknown(item).model_dump() for item in found.unknown]
    return StackDrift.model_validate({**found.model_dump(), "unknown": unknown})


def _make_interrupted(pending: Pending, stack: str) -> Unknown:
    command = f"flowflare up --stack {quote(stack)}"
    message = f"an interrupted run left its state unknown; run `{command}` first"
    name = name_of(pending.resource.urn)
    return Unknown(resource=name, type=pending.resource.type, message=message)


def _list_not_compared(scene: Scene) -> Iterator[Unknown]:
    for type_, records in sorted(scene.resources.items(), key=lambda item: shorten_type(item[0])):
        if not _is_in_no_account(type_) and not is_compared(type_):
            for record in sorted(records, key=lambda each: each.name):
                message = "drift detection does not support this resource type"
                yield Unknown(resource=record.name, type=record.type, message=message)


def _is_in_no_account(type_: str) -> bool:
    """Return whether the account does not have the type: providers, components, secret values."""
    kind = find_kind(type_)
    return type_.startswith("pulumi:") or (kind is not None and kind.is_dynamic)


def _write_remedy(action: Action, stack: str) -> str:
    return _REMEDIES[action].format(stack=quote(stack))


_REFRESH: Final = "flowflare up --refresh --stack {stack}"
_REMEDIES: Final[Mapping[Action, str]] = {
    "put-back": f"Restore what state has: {_REFRESH}",
    "adopt": "To keep it, add it to the configuration. To remove it, delete it where it was "
    f"created; a binding or cron trigger is removed by: {_REFRESH}",
    "restore": "`up` does not restore this. Look first: flowflare migrations status --stack "
    "{stack}; for data: flowflare migrations restore (Time Travel)",
    "remake": f"Create it again: {_REFRESH}",
    "remove": "Delete it where it was created, or add it to the program",
}
