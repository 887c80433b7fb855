"""Merge the configuration of all stacks, an environment, a tenant, and one of its stacks.

A key of a later layer replaces the whole value of an earlier layer; null removes the key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowflare.config.problems import Path as Position
from flowflare.config.schema import NAMESPACE
from flowflare.config.values import is_secure
from flowflare.errors import Problem
from flowflare.fleet.tenants.schema import TenantsFile
from flowflare.fleet.tenants.source import FleetSource

_PREFIX: Final = f"{NAMESPACE}:"
#: Keys that follow from the structure of the file, with what to do instead of setting them.
_DERIVED: Final = {
    f"{_PREFIX}tenant": "Remove it: it is the tenant's name.",
    f"{_PREFIX}environment": "Remove it: it is the environment's name.",
    f"{_PREFIX}suspended": "Write `status: suspended` at the tenant.",
}


@dataclass(frozen=True)
class Layer:
    """The keys of one mapping in the source.

    Attributes:
        values: full key to JSON value.
        written: full key to the key as it is written.
    """

    position: Position
    values: Mapping[str, Any]
    written: Mapping[str, str]


Layers = tuple[Layer, ...]


def full_key(key: str) -> str:
    """Return a key with its namespace, which is Flowflare's if the key has none."""
    return key if ":" in key else _PREFIX + key


def read_layers(file: TenantsFile, source: FleetSource, problems: list[Problem]) -> "FleetLayers":
    """Read and check the layers that tenants share.

    Args:
        source: the places of its parts.
        problems: gains the problems of keys.
    """
    shared = _layer(("defaults",), file.defaults, source, problems, is_shared=True)
    environments = {
        name: _layer(
            ("environments", name, "config"), environment.config, source, problems, is_shared=True
        )
        for name, environment in file.environments.items()
    }
    return FleetLayers(file, source, problems, shared, environments)


@dataclass(frozen=True)
class FleetLayers:
    """Make the layers of single stacks; see `read_layers`."""

    file: TenantsFile
    source: FleetSource
    problems: list[Problem]
    defaults: Layer
    environments: Mapping[str, Layer]

    def tenant(self, name: str) -> Iterator[tuple[str, Layers]]:
        """Return each environment of a tenant with its stack's layers, the weakest first."""
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


def merge_layers(layers: Layers) -> dict[str, Any]:
    """Merge layers into values, sorted by key."""
    values: dict[str, Any] = {}
    for layer in layers:
        values |= layer.values
    return {key: values[key] for key in sorted(values) if values[key] is not None}


def position_of(layers: Layers, key: str) -> Position | None:
    """Return the position of a full key's value; None for a key that no layer has."""
    for layer in reversed(layers):
        if key in layer.values:
            return (*layer.position, layer.written[key])
    return None


def _layer(
    position: Position,
    written: Mapping[str, Any],
    source: FleetSource,
    problems: list[Problem],
    *,
    is_shared: bool = False,
) -> Layer:
    values: dict[str, Any] = {}
    spelt: dict[str, str] = {}
    for key, value in written.items():
        name, at = full_key(key), (*position, key)

        def problem(message: str, remedy: str, at: Position = at) -> None:
            shown = ".".join(map(str, at))
            problems.append(Problem(source.of(at), f"`{shown}`: {message}", remedy))

        if name in _DERIVED:
            problem("cannot be set here", _DERIVED[name])
        elif name in spelt:
            problem(f"`{spelt[name]}` is the same key", "Keep one of the two.")
        elif is_shared and _has_secret(value):
            remedy = (
                "Set it in a stack's own file, which keeps it: flowflare secrets set KEY -s "
                "<tenant>-<environment>"
            )
            problem("contains a ciphertext, which only one stack's passphrase decrypts", remedy)
        spelt[name], values[name] = key, value
    return Layer(position, values, spelt)


def _has_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return is_secure(value) or any(map(_has_secret, value.values()))
    return isinstance(value, list) and any(map(_has_secret, value))
