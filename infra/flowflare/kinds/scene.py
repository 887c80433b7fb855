"""A stack's state in the words of the account: records by kind, values as the API spells them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flowflare.kinds.account import Account
from flowflare.kinds.contract import Kind
from flowflare.kinds.drifted import Action, Difference, Drifted, Severity, Unknown
from flowflare.kinds.spelling import to_api
from flowflare.values import show
from flowflare.values.properties import UNKNOWN, Props, Secret, Value, leaves, plain

SECRET: Final = "[secret]"  # noqa: S105 -- what is shown instead of one


@dataclass(frozen=True)
class Record:
    """A resource of a state, as far as the account can differ from it.

    Attributes:
        name: its name in the program.
        type: its type.
        id: its ID.
        inputs: its inputs; a property that could not be opened is `UNKNOWN`.
        outputs: what was computed beside them.
    """

    name: str
    type: str
    id: str
    inputs: Props
    outputs: Props


@dataclass(frozen=True)
class Scene:
    """What of a state is in the account.

    Attributes:
        resources: the records by their type; old halves of replacements and what is only read are
            left out.
        scripts: script name to the record of its `WorkersScript`.
        unseen: sentences about what no run can compare; grows.
        unknown: what this run could not compare; grows.
    """

    resources: Mapping[str, tuple[Record, ...]]
    scripts: Mapping[str, Record]
    unseen: list[str] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)

    def note(self, one: Record, message: str) -> None:
        """Note something of a record that could not be compared."""
        self.unknown.append(Unknown(resource=one.name, type=one.type, message=message))

    def of_kind(self, kind: Kind) -> tuple[Record, ...]:
        """The records of a kind."""
        return self.resources.get(kind.type, ())

    def live_scripts(self, account: Account) -> dict[str, Record]:
        """The scripts of the stack that the account has, by name."""
        live = account.scripts() if self.scripts else {}
        return {name: one for name, one in self.scripts.items() if name in live}

    def by_script(self, kind: Kind, key: str = "scriptName") -> dict[str, Record]:
        """The records of a kind by their script's name."""
        return {text(one, key): one for one in self.of_kind(kind)}


def text(one: Record, key: str) -> str:
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
    one: Record,
    kind: Difference,
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


def compare_nothing(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Compare nothing: what is compared with the script says it all."""
    del scene, account
    return iter(())
