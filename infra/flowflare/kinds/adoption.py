"""The result of adopting a kind: an existing resource as state will store it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from flowflare.kinds.handler import Handler
from flowflare.model.frozen import Frozen
from flowflare.values.properties import UNKNOWN, Props, Secret, Value, has_unknown, reveal

Status = Literal["found", "different", "missing", "foreign", "managed", "kept"]


class Difference(Frozen):
    """One place in which an existing resource differs from the program."""

    path: str = Field(description='What of it, such as `bindings["DB"].id`.')
    declared: Any = Field(default=None, description="What the program says; null for nothing.")
    account: Any = Field(default=None, description="What the account has; null for nothing.")


class Baseline(Frozen):
    """A D1 database whose ledger is written: the migration files that are already applied."""

    database: str = Field(description="Its name.")
    uuid: str = Field(description="Its id.")
    files: tuple[str, ...] = Field(description="The files that are noted, in order.")
    why: str = Field(description="What they are noted by, a sentence.")


@dataclass(frozen=True)
class Key:
    """The API key that is imported.

    Attributes:
        text: the key, a secret; empty if there is none.
        resource: the end of the name of its resource, which is the generation in use.
        from_: its source, in words.
    """

    text: str = field(default="", repr=False)
    resource: str = ""
    from_: str = ""


@dataclass(frozen=True)
class Wanted:
    """A resource as the program declares it.

    Attributes:
        secret_outputs: outputs that are always secret.
        inputs: its checked inputs; secrets are marked, and outputs that do not exist yet are
            unknown.
    """

    name: str
    type: str
    secret_outputs: tuple[str, ...]
    inputs: Props
    handler: Handler

    @property
    def kind(self) -> str:
        """The last word of its type: `WorkersScript`."""
        return self.type.rpartition(":")[2]

    def text(self, key: str) -> str:
        """Return an input as plain text; empty if it is not text or not known."""
        value = reveal(self.inputs.get(key))
        return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Thing:
    """An existing resource of the account for a declared resource.

    Attributes:
        inputs: the inputs to store in state: the declared value if the account has it, otherwise
            the account's value.
        differences: the places in which it differs from the program.
        message: a note about it.
        status: `kept` if only state holds it; otherwise it follows from the differences.
    """

    id: str
    inputs: Props
    outputs: Props
    name: str = ""
    differences: Sequence[Difference] = ()
    message: str = ""
    status: Status | None = None


@dataclass
class Findings:
    """The findings about all resources; grows while the program runs.

    Attributes:
        refusals: the reasons why the stack cannot be adopted.
        notes: notes for the reader.
        baselines: ledgers to write, each with the function that writes it.
        tag: the tag of the class migration that created the service's class, if it is not in the
            history.
        key: the API key that is imported.
        unread: secrets that are bound as declared, but whose values cannot be compared.
    """

    refusals: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    baselines: list[tuple[Baseline, Callable[[], None]]] = field(default_factory=list)
    tag: str = ""
    key: Key = field(default_factory=Key)
    unread: list[str] = field(default_factory=list)

    def refuse(self, message: str, remedy: str = "") -> None:
        """Note a reason why the stack cannot be adopted; all reasons are reported at the end."""
        self.refusals.append(f"{message}\n    {remedy}" if remedy else message)

    def note(self, sentence: str) -> None:
        """Note a sentence once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def drop_unknown(value: Value) -> Value:
    """Return a value without its unknown keys and items."""
    if isinstance(value, dict):
        return {key: drop_unknown(item) for key, item in value.items() if not _is_unknown(item)}
    if isinstance(value, list):
        return [drop_unknown(item) for item in value if not _is_unknown(item)]
    return value


def _is_unknown(value: Value) -> bool:
    return value is UNKNOWN or (isinstance(value, Secret) and has_unknown(value))
