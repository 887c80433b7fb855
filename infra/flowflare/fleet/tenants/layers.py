"""Merges what is written for all, for an environment, for a tenant and for one of its stacks.

A key of a later layer replaces that of an earlier one whole; null takes it away.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowflare.config.problems import Path as Position
from flowflare.config.schema import NAMESPACE
from flowflare.config.secure import is_secure
from flowflare.errors import Problem
from flowflare.fleet.tenants.schema import TenantsFile
from flowflare.fleet.tenants.source import Source

_PREFIX: Final = f"{NAMESPACE}:"
#: Keys that follow from the file's own structure, with what to do instead of writing them.
_OWN: Final = {
    f"{_PREFIX}tenant": "Leave it out: it is the tenant's name.",
    f"{_PREFIX}environment": "Leave it out: it is the environment's name.",
    f"{_PREFIX}suspended": "Write `status: suspended` at the tenant.",
}


@dataclass(frozen=True)
class Layer:
    """Keys that stand together in the source.

    Attributes:
        position: where they stand.
        values: full key to JSON value.
        written: full key to the key as it is written.
    """

    position: Position
    values: Mapping[str, Any]
    written: Mapping[str, str]


Layers = tuple[Layer, ...]


def full(key: str) -> str:
    """A key with its namespace, Flowflare's where it has none."""
    return key if ":" in key else _PREFIX + key


def layers_of(file: TenantsFile, source: Source, problems: list[Problem]) -> "LayersOf":
    """Makes the layers that all tenants share, and checks them.

    Args:
        file: the file.
        source: where its parts stand.
        problems: gains what is wrong with keys.
    """
    shared = _layer(("defaults",), file.defaults, source, problems, is_shared=True)
    environments = {
        name: _layer(("environments", name, "config"), one.config, source, problems, is_shared=True)
        for name, one in file.environments.items()
    }
    return LayersOf(file, source, problems, shared, environments)


@dataclass(frozen=True)
class LayersOf:
    """Makes the layers of single stacks; see `layers_of`."""

    file: TenantsFile
    source: Source
    problems: list[Problem]
    defaults: Layer
    environments: Mapping[str, Layer]

    def tenant(self, name: str) -> Iterator[tuple[str, Layers]]:
        """Each environment that a tenant is in, with its stack's layers, the weakest first."""
        written = self.file.tenants[name]
        position = ("tenants", name)
        own = _layer((*position, "config"), written.config, self.source, self.problems)
        for environment, shared in sorted(self.environments.items()):
            if written.only is not None and environment not in written.only:
                continue
            layers: Layers = (self.defaults, shared, own)
            here = written.environments.get(environment)
            if here is not None and here.config:
                at = (*position, "environments", environment, "config")
                layers += (_layer(at, here.config, self.source, self.problems),)
            yield environment, layers


def merged(layers: Layers) -> dict[str, Any]:
    """What the layers come to, sorted by key."""
    values: dict[str, Any] = {}
    for layer in layers:
        values |= layer.values
    return {key: values[key] for key in sorted(values) if values[key] is not None}


def position_of(layers: Layers, key: str) -> Position | None:
    """Where a full key's value stands; None for a key that no layer has."""
    for layer in reversed(layers):
        if key in layer.values:
            return (*layer.position, layer.written[key])
    return None


def _layer(
    position: Position,
    written: Mapping[str, Any],
    source: Source,
    problems: list[Problem],
    *,
    is_shared: bool = False,
) -> Layer:
    values: dict[str, Any] = {}
    spelt: dict[str, str] = {}
    for key, value in written.items():
        name, at = full(key), (*position, key)

        def problem(message: str, remedy: str, at: Position = at) -> None:
            shown = ".".join(map(str, at))
            problems.append(Problem(source.of(at), f"`{shown}`: {message}", remedy))

        if name in _OWN:
            problem("is not set here", _OWN[name])
        elif name in spelt:
            problem(f"`{spelt[name]}` is the same key", "Keep one of the two.")
        elif is_shared and _holds_secret(value):
            remedy = (
                "Set it in a stack's own file: pulumi config set --secret --stack <tenant>-"
                "<environment>. It is kept there."
            )
            problem("holds a ciphertext, which only one stack's passphrase opens", remedy)
        spelt[name], values[name] = key, value
    return Layer(position, values, spelt)


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return is_secure(value) or any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))
