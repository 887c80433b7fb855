"""A stack's state for the comparison with the account: records by kind, values as in the API."""

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
    """The part of a resource in state that can differ from the account.

    Attributes:
        inputs: its inputs; a property that could not be decrypted is `UNKNOWN`.
    """

    name: str
    type: str
    id: str
    inputs: Props
    outputs: Props


@dataclass(frozen=True)
class Scene:
    """The part of a state that the account should have.

    Attributes:
        resources: the records by their type, without resources that are only read and without
            replaced resources that are not deleted yet.
        scripts: the records of `WorkersScript` by the script's name.
        unseen: sentences about what no run can compare; grows.
        unknown: what this run could not compare; grows.
    """

    resources: Mapping[str, tuple[Record, ...]]
    scripts: Mapping[str, Record]
    unseen: list[str] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)

    def note(self, record: Record, message: str) -> None:
        """Note a part of a record that could not be compared."""
        self.unknown.append(Unknown(resource=record.name, type=record.type, message=message))

    def of_kind(self, kind: Kind) -> tuple[Record, ...]:
        """Return the records of a kind."""
        return self.resources.get(kind.type, ())

    def live_scripts(self, account: Account) -> dict[str, Record]:
        """Return the stack's scripts that the account has, by name."""
        live = account.scripts() if self.scripts else {}
        return {name: record for name, record in self.scripts.items() if name in live}

    def by_script(self, kind: Kind, key: str = "scriptName") -> dict[str, Record]:
        """Return the records of a kind by their script's name."""
        return {text(record, key): record for record in self.of_kind(kind)}


def text(record: Record, key: str) -> str:
    """Return a property of a record as text: an input, otherwise an output; empty if missing."""
    value = plain(record.inputs.get(key, record.outputs.get(key)))
    return value if isinstance(value, str) else ""


def as_sent(value: Value) -> Any:
    """Convert a value of the state to the API's spelling; secrets stay marked."""
    if isinstance(value, Secret):
        return Secret(to_api(plain(value)))
    if isinstance(value, dict):
        return to_api({key: as_sent(item) for key, item in value.items()})
    if isinstance(value, list):
        return [as_sent(item) for item in value]
    return to_api(value)


def mask_secrets(value: Value) -> Any:
    """Convert a value to JSON values, each secret to `[secret]`."""
    return show.show_value(value)


def find_differences(wanted: Any, live: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Find the differences between state and account; ignore values that only the account has.

    Yields:
        The path, the value in state, the value in the account; `[secret]` for both if the value in
        state is secret. A value that could not be decrypted is ignored: the scene has noted it.

    Raises:
        SecretError: a secret inside cannot be decrypted.
    """
    if isinstance(wanted, Secret):
        if any(find_differences(wanted.value, live)):
            yield path, SECRET, SECRET
    elif isinstance(wanted, dict) and isinstance(live, dict):
        for key in sorted(wanted):
            inner = f"{path}.{key}" if path else key
            yield from find_differences(wanted[key], live.get(key), inner)
    elif wanted is not UNKNOWN and not _same(plain(wanted), live):
        secret = any(isinstance(leaf, Secret) for leaf in leaves(wanted))
        yield path, mask_secrets(wanted), SECRET if secret else live


def _same(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(live, bool):
        return bool(wanted) == bool(live)
    return bool(wanted == live or (not wanted and not live))


def make_finding(  # noqa: PLR0913 -- a finding's parts, each by its name
    record: Record,
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
    """Make a finding about a record."""
    return Drifted(
        kind=kind,
        severity=severity,
        resource=record.name,
        type=record.type,
        path=path,
        state=state,
        account=account,
        by=by,
        message=message,
        action=action,
    )


def format_value(value: Any) -> str:
    """Format a value for a sentence, shortened."""
    if value is None or value == "":
        return "nothing"
    said = value if isinstance(value, str) else str(value)
    return said if len(said) <= 80 else f"{said[:80]}..."


def compare_nothing(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Compare nothing: the comparison of the script finds everything."""
    del scene, account
    return iter(())
