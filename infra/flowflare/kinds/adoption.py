"""What adopting a kind answers: a thing of the account as state is to hold it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from flowflare.kinds.handler import Handler
from flowflare.model.frozen import Frozen
from flowflare.values.properties import UNKNOWN, Props, Secret, Value, has_unknown, reveal

Status = Literal["found", "different", "missing", "foreign", "managed", "kept"]


class Difference(Frozen):
    """One place in which a thing is not as the program declares it."""

    path: str = Field(description='What of it, such as `bindings["DB"].id`.')
    declared: Any = Field(default=None, description="What the program says; null for nothing.")
    account: Any = Field(default=None, description="What the account has; null for nothing.")


class Baseline(Frozen):
    """A D1 database whose ledger is written: what it has had already."""

    database: str = Field(description="Its name.")
    uuid: str = Field(description="Its id.")
    files: tuple[str, ...] = Field(description="The files that are noted, in order.")
    why: str = Field(description="What they are noted by, a sentence.")


@dataclass(frozen=True)
class Key:
    """The API key that is taken over.

    Attributes:
        text: the key, a secret; empty for none.
        resource: how the name of the resource ends that it is, of all generations the one in use.
        from_: where it comes from, in words.
    """

    text: str = field(default="", repr=False)
    resource: str = ""
    from_: str = ""


@dataclass(frozen=True)
class Wanted:
    """A resource as the program declares it.

    Attributes:
        name: its name in the program.
        type: its type.
        secret_outputs: outputs that are secret whatever the inputs are.
        inputs: its inputs, checked; secrets are marked, what is missing elsewhere is unknown.
        handler: what serves it.
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
        """An input as text, opened; empty where it is none or not known."""
        value = reveal(self.inputs.get(key))
        return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Thing:
    """What stands for a resource.

    Attributes:
        id: the id that its provider gives it.
        inputs: what state is to hold: as declared where the account has just that, else what the
            account has.
        outputs: what is known of it.
        name: what the account calls it.
        differences: where it is not as declared.
        message: what else there is to know of it.
        status: `kept` for what stands in state alone; else by the differences.
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
    """What finders tell beside the things; grows while the program runs.

    Attributes:
        refusals: why it cannot be taken over.
        notes: what the reader has to know.
        baselines: ledgers to write, each with what writes it.
        tag: the tag under which the service's class began, where it is not in the history.
        key: the API key that is taken over.
        unread: secrets that are bound as the program says, whose values nobody can compare.
    """

    refusals: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    baselines: list[tuple[Baseline, Callable[[], None]]] = field(default_factory=list)
    tag: str = ""
    key: Key = field(default_factory=Key)
    unread: list[str] = field(default_factory=list)

    def refuse(self, message: str, remedy: str = "") -> None:
        """Notes why it cannot be; told with all the others at the end."""
        self.refusals.append(f"{message}\n    {remedy}" if remedy else message)

    def note(self, sentence: str) -> None:
        """Notes something once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def known(value: Value) -> Value:
    """A value without what is unknown in it: keys and items that are, are left out."""
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items() if not _is_unknown(item)}
    if isinstance(value, list):
        return [known(item) for item in value if not _is_unknown(item)]
    return value


def _is_unknown(value: Value) -> bool:
    return value is UNKNOWN or (isinstance(value, Secret) and has_unknown(value))
