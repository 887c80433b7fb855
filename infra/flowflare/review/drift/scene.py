"""A stack's state in the words of the account: resources by kind, values as the API spells them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from flowflare.engine.providers.cloudflare.kind import to_api
from flowflare.errors import SecretError
from flowflare.review.drift.model import Action, Drifted, Kind, Severity, Unknown
from flowflare.state.checkpoint import Deployment, Resource
from flowflare.values import show
from flowflare.values.properties import UNKNOWN, Props, Secret, Value, leaves, plain

SECRET: Final = "[secret]"  # noqa: S105 -- what is shown instead of one
#: The types that are compared, by the last word of their tokens.
COMPARED: Final = frozenset(
    {
        "CronCleanup",
        "D1Database",
        "D1Migrations",
        "DurableObjectMigrations",
        "ScriptBindings",
        "WorkersCronTrigger",
        "WorkersCustomDomain",
        "WorkersDevUrl",
        "WorkersRoute",
        "WorkersScript",
        "WorkersScriptSubdomain",
        "Workflow",
    }
)


@dataclass(frozen=True)
class Scene:
    """What of a state is in the account.

    Attributes:
        resources: the records by the last word of their type; old halves of replacements and what
            is only read are left out.
        scripts: script name to the record of its `WorkersScript`.
        unseen: sentences about what no run can compare; grows.
        unknown: what this run could not compare; grows.
    """

    resources: Mapping[str, tuple[Resource, ...]]
    scripts: Mapping[str, Resource]
    unseen: list[str] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)

    @classmethod
    def of(cls, deployment: Deployment) -> "Scene":
        """Make the scene of a state; properties that are secret as a whole are opened in memory.

        One that cannot be opened becomes `UNKNOWN`, and is noted among what is unknown.
        """
        unknown: list[Unknown] = []
        kinds: dict[str, list[Resource]] = {}
        for one in deployment.resources:
            if one.custom and not (one.delete or one.external or one.pending_replacement):
                kind = one.type.rpartition(":")[2]
                kinds.setdefault(kind, []).append(
                    _opened(one, unknown) if kind in COMPARED else one
                )
        found = {kind: tuple(records) for kind, records in kinds.items()}
        scripts = {text(one, "scriptName"): one for one in found.get("WorkersScript", ())}
        return cls(found, scripts, unknown=unknown)

    def note(self, one: Resource, message: str) -> None:
        """Note something of a record that could not be compared."""
        self.unknown.append(Unknown(resource=one.name, type=one.type, message=message))

    def of_kind(self, kind: str) -> tuple[Resource, ...]:
        """The records of a type."""
        return self.resources.get(kind, ())

    def by_script(self, kind: str, key: str = "scriptName") -> dict[str, Resource]:
        """The records of a type by their script's name."""
        return {text(one, key): one for one in self.of_kind(kind)}


def _opened(one: Resource, unknown: list[Unknown]) -> Resource:
    """The record with its secret properties opened, as far as they can be."""

    def opened(props: Props) -> Props:
        return {
            key: _open(one, key, value, unknown) if isinstance(value, Secret) else value
            for key, value in props.items()
            if not key.startswith("__")  # the real engine's own bookkeeping
        }

    computed = {key: value for key, value in one.outputs.items() if key not in one.inputs}
    return replace(one, inputs=opened(one.inputs), outputs=opened(computed))


def _open(one: Resource, key: str, value: Secret, unknown: list[Unknown]) -> Value:
    """A secret's value, still marked; a list's items by name, with names and types open."""
    try:
        named = show.secret_names(value)
    except SecretError as error:
        message = f"{key} is secret in state and cannot be opened: {error.message}"
        unknown.append(Unknown(resource=one.name, type=one.type, message=message))
        return UNKNOWN
    return value if named is None else list(named.values())


def text(one: Resource, key: str) -> str:
    """A property of a record as text: an input, else an output; empty if it has none."""
    value = plain(one.inputs.get(key, one.outputs.get(key)))
    return value if isinstance(value, str) else ""


def as_sent(value: Value) -> Any:
    """A value of the state as the API spells it; secrets keep their mark."""
    if isinstance(value, Secret):
        return Secret(to_api(plain(value)))
    if isinstance(value, dict):
        return to_api({key: as_sent(item) for key, item in value.items()})
    if isinstance(value, list):
        return [as_sent(item) for item in value]
    return to_api(value)


def masked(value: Value) -> Any:
    """A value as JSON values, each secret as `[secret]`."""
    return show.shown(value)


def differing(wanted: Any, live: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where the account is not as state says; what only the account knows does not count.

    Yields:
        The path, what state says, what the account says; `[secret]` for both where state holds a
        secret. What could not be opened does not count: the scene has noted it.

    Raises:
        SecretError: a secret inside cannot be opened.
    """
    if isinstance(wanted, Secret):
        if any(differing(wanted.value, live)):
            yield path, SECRET, SECRET
    elif isinstance(wanted, dict) and isinstance(live, dict):
        for key in sorted(wanted):
            inner = f"{path}.{key}" if path else key
            yield from differing(wanted[key], live.get(key), inner)
    elif wanted is not UNKNOWN and not _same(plain(wanted), live):
        secret = any(isinstance(leaf, Secret) for leaf in leaves(wanted))
        yield path, masked(wanted), SECRET if secret else live


def _same(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(live, bool):
        return bool(wanted) == bool(live)
    return bool(wanted == live or (not wanted and not live))


def drifted(  # noqa: PLR0913 -- a finding's parts, each by its name
    one: Resource,
    kind: Kind,
    message: str,
    *,
    path: str = "",
    state: Any = None,
    account: Any = None,
    by: str = "",
    severity: Severity = "warning",
    action: Action = "put-back",
) -> Drifted:
    """A finding about a record."""
    return Drifted(
        kind=kind,
        severity=severity,
        resource=one.name,
        type=one.type,
        path=path,
        state=state,
        account=account,
        by=by,
        message=message,
        action=action,
    )


def shown(value: Any) -> str:
    """A value within a sentence, short."""
    if value is None or value == "":
        return "nothing"
    said = value if isinstance(value, str) else str(value)
    return said if len(said) <= 80 else f"{said[:80]}..."
