"""A stack's state in the words of the account: resources by kind, values as the API spells them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flowflare.engine.providers.cloudflare.kind import to_api
from flowflare.engine.state import Deployment, Resource
from flowflare.engine.values import Secret, Value
from flowflare.review.drift.model import Action, Drifted, Kind, Severity

SECRET: Final = "[secret]"  # noqa: S105 -- what is shown instead of one


@dataclass(frozen=True)
class Scene:
    """What of a state is in the account.

    Attributes:
        resources: the records by the last word of their type; old halves of replacements and what
            is only read are left out.
        scripts: script name to the record of its `WorkersScript`.
        unseen: sentences about what could not be compared; grows.
    """

    resources: Mapping[str, tuple[Resource, ...]]
    scripts: Mapping[str, Resource]
    unseen: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, deployment: Deployment) -> "Scene":
        """The scene of a state."""
        kinds: dict[str, list[Resource]] = {}
        for one in deployment.resources:
            if one.custom and not (one.delete or one.external or one.pending_replacement):
                kinds.setdefault(one.type.rpartition(":")[2], []).append(one)
        found = {kind: tuple(records) for kind, records in kinds.items()}
        scripts = {text(one, "scriptName"): one for one in found.get("WorkersScript", ())}
        return cls(found, scripts)

    def of_kind(self, kind: str) -> tuple[Resource, ...]:
        """The records of a type."""
        return self.resources.get(kind, ())

    def by_script(self, kind: str, key: str = "scriptName") -> dict[str, Resource]:
        """The records of a type by their script's name."""
        return {text(one, key): one for one in self.of_kind(kind)}


def text(one: Resource, key: str) -> str:
    """A property of a record as text: an input, else an output; empty for none or a secret."""
    value = one.inputs.get(key, one.outputs.get(key))
    return value if isinstance(value, str) else ""


def as_sent(value: Value) -> Any:
    """A value of the state as the API spells it, each secret as `[secret]` and not opened."""
    if isinstance(value, Secret):
        return SECRET
    if isinstance(value, dict):
        return to_api({key: as_sent(item) for key, item in value.items()})
    if isinstance(value, list):
        return [as_sent(item) for item in value]
    return to_api(value)


def differing(wanted: Any, live: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where the account is not as state says; what only the account knows does not count.

    Yields:
        The path, what state says, what the account says.
    """
    if isinstance(wanted, dict) and isinstance(live, dict):
        for key in sorted(wanted):
            inner = f"{path}.{key}" if path else key
            yield from differing(wanted[key], live.get(key), inner)
    elif wanted != SECRET and not _same(wanted, live):
        yield path, wanted, live


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
