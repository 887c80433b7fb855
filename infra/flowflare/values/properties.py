"""The engine's property values: JSON values, secrets, unknowns, assets, references.

A value is None, bool, float, str, a list or a dict of values, or one of the classes below. Numbers
are float64 everywhere, as in Pulumi: the program and the providers see `5.0`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, final

from flowflare.redaction.run import learn

Value = Any
"""A property value. A recursive union type would need a cast in every caller."""

Props = dict[str, Value]
"""The properties of a resource by name."""


class Opener(Protocol):
    """Decrypts a secret: the stack's vault."""

    def open(self, ciphertext: str) -> Value:
        """Return the decrypted value."""


@final
class UnknownValue:
    """A value that is known only after another resource is created."""

    def __repr__(self) -> str:
        return "[unknown]"


UNKNOWN: Final = UnknownValue()


@final
class Secret:
    """A secret value, which is decrypted when it is first used.

    A secret from state has its ciphertext and its vault. An unchanged secret is written with the
    same ciphertext, so a run without changes neither decrypts nor encrypts it.

    Args:
        value: the value, if known.
        ciphertext: the encrypted value, if there is one.
        opener: the vault that decrypts the ciphertext; required without a value.
    """

    __slots__ = ("_opener", "_value", "ciphertext")

    def __init__(
        self, value: Value = None, *, ciphertext: str | None = None, opener: Opener | None = None
    ) -> None:
        self.ciphertext = ciphertext
        self._opener = opener
        self._value: Callable[[], Value] | None = None
        if opener is None or value is not None:
            self._value = lambda: value

    @property
    def value(self) -> Value:
        """The decrypted value.

        Raises:
            SecretError: the passphrase does not decrypt it.
        """
        if self._value is None:
            assert self._opener is not None
            assert self.ciphertext is not None
            opened = self._opener.open(self.ciphertext)
            self._value = lambda: opened
        return self._value()

    def sealed_by(self, vault: Opener) -> str | None:
        """Return the ciphertext, if it is that vault's."""
        return self.ciphertext if self._opener is vault else None

    def remember(self, vault: Opener, ciphertext: str) -> None:
        """Keep the ciphertext, so that the next write does not encrypt the value again."""
        self._opener, self.ciphertext = vault, ciphertext

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        if self.ciphertext is not None and self.ciphertext == other.ciphertext:
            return True
        return equal(self.value, other.value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "[secret]"


@dataclass(frozen=True)
class Asset:
    """A file, a string or a URL as a value, or an archive of several assets.

    Attributes:
        archive: whether it is an archive.
        fields: `text`, `path`, `uri` or `assets`, and `hash` if known.
    """

    archive: bool
    fields: Mapping[str, Value]


@dataclass(frozen=True)
class Reference:
    """A resource as a value.

    Attributes:
        id: its ID, None for a component; may be unknown.
        version: the version of the package that declares it.
    """

    urn: str
    id: Value
    version: str = ""


def equal(left: Value, right: Value, *, strict: bool = False) -> bool:
    """Whether two values are equal; an unknown only equals an unknown.

    Args:
        left: the first value.
        right: the second value.
        strict: whether a secret differs from the same value that is not secret.
    """
    if isinstance(left, Secret) or isinstance(right, Secret):
        if isinstance(left, Secret) and isinstance(right, Secret):
            return left == right
        return not strict and equal(reveal(left), reveal(right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            equal(value, right[key], strict=strict) for key, value in left.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            equal(one, two, strict=strict) for one, two in zip(left, right, strict=True)
        )
    if isinstance(left, bool) is not isinstance(right, bool):
        return False  # in Python, True == 1.0
    return bool(left == right)


def changed_keys(old: Props, new: Props) -> list[str]:
    """Return the names of the properties that differ, sorted."""
    return sorted(key for key in old.keys() | new.keys() if not equal(old.get(key), new.get(key)))


def new_secret(value: Value) -> Secret:
    """Mark a value as secret, and report it to the run's filter."""
    learn(value)
    return Secret(value)


def reveal(value: Value) -> Value:
    """Return the value without its secret mark."""
    return value.value if isinstance(value, Secret) else value


def map_leaves(value: Value, change: Callable[[Value], Value]) -> Value:
    """Apply a function to every leaf of a value; a secret is a leaf."""
    if isinstance(value, dict):
        return {key: map_leaves(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [map_leaves(item, change) for item in value]
    return change(value)


def leaves(value: Value) -> Iterator[Value]:
    """Yield every leaf of a value; a secret is a leaf."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def has_unknown(value: Value) -> bool:
    """Whether a value contains an unknown; a secret with a ciphertext contains none."""
    return any(
        leaf is UNKNOWN
        or (isinstance(leaf, Secret) and leaf.ciphertext is None and has_unknown(leaf.value))
        or (isinstance(leaf, Reference) and leaf.id is UNKNOWN)
        for leaf in leaves(value)
    )


def plain(value: Value, *, unknown: Value = UNKNOWN) -> Value:
    """Convert a value for a provider: secrets decrypted, resources as IDs, no None inside maps.

    Args:
        unknown: the value that replaces an unknown.
    """
    if isinstance(value, Secret):
        return plain(value.value, unknown=unknown)
    if isinstance(value, dict):
        return {
            key: plain(item, unknown=unknown) for key, item in value.items() if item is not None
        }
    if isinstance(value, list):
        return [plain(item, unknown=unknown) for item in value]
    if isinstance(value, Reference):
        return value.urn if value.id is None else plain(value.id, unknown=unknown)
    return unknown if value is UNKNOWN else value


def annotate(value: Value, like: Value) -> Value:
    """Mark values of a provider's response as secret if the same inputs were secret.

    Maps are compared key by key, and lists of the same length item by item, as Pulumi does. The
    secret of the input is reused, so that an unchanged secret keeps its ciphertext.
    """
    if isinstance(like, Secret):
        if isinstance(value, Secret):
            return value
        return like if equal(value, plain(like.value)) else new_secret(value)
    if isinstance(value, dict) and isinstance(like, dict):
        return {key: annotate(item, like.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [annotate(one, two) for one, two in zip(value, like, strict=True)]
    return value


def make_secret(props: Props, names: tuple[str, ...]) -> Props:
    """Mark the named properties as secret (Pulumi's `additionalSecretOutputs`)."""
    return {
        key: new_secret(value) if key in names and not isinstance(value, Secret) else value
        for key, value in props.items()
    }


def as_number(value: float) -> int | float:
    """Convert a whole float64 to an integer, as in JSON: 5, not 5.0."""
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def json_text(value: Value) -> str:
    """Return compact JSON of a plain value, with Go's format of numbers and order of keys."""
    prepared = map_leaves(value, lambda leaf: as_number(leaf) if isinstance(leaf, float) else leaf)
    return json.dumps(prepared, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
