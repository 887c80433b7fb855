"""Find the files and secrets that a configuration names: Worker sources, migrations, secrets.

The configuration is read as it is written, without Pulumi and without decrypting anything. Problems
in it are ignored here, because the program reports them when it runs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from flowflare.config.problems import mapping
from flowflare.config.values import merge_clients, parse_mapping
from flowflare.model.code_module import ModuleRule
from flowflare.model.written import COMPATIBILITY_DATE
from flowflare.render.compatibility import Compatibility, read_node_compat

_AWS: Final = ("awsSecretsManager", "awsParameter")


@dataclass(frozen=True)
class SecretSource:
    """The source of a secret that is not stored in the configuration.

    Attributes:
        owner: the secret's owner for messages: `client orders: TOKEN`.
        kind: `environment`, `file` or `aws`.
        name: the variable, or the file relative to the project.
    """

    owner: str
    kind: str
    name: str


class ClientSource(NamedTuple):
    """The source of a client's code, and what else decides how it is bundled."""

    path: str
    compatibility: Compatibility | None
    has_source_map: bool
    rules: tuple[ModuleRule, ...]


@dataclass(frozen=True)
class Inputs:
    """The files and secrets that a stack's configuration names.

    Attributes:
        sources: what is bundled for each client, by its name.
        migrations: the migration folders of the clients' databases.
        assets: the folders of the clients' static assets.
        secrets: secrets whose values may change without a change of the configuration.
    """

    sources: Mapping[str, ClientSource]
    migrations: tuple[str, ...]
    assets: tuple[str, ...]
    secrets: tuple[SecretSource, ...]
    policies: tuple[str, ...]


@lru_cache(maxsize=64)
def read_inputs(clients: str, overrides: str, policies: str) -> Inputs:
    """Read the JSON texts of three `flowflare:` keys; a key that is not set is an empty text."""
    merged = merge_clients(clients, overrides)
    folders = {folder for client in merged.values() for folder in _list_migrations(client)}
    return Inputs(
        sources={
            name: ClientSource(
                str(client["source"]),
                _read_compatibility(client),
                client.get("uploadSourceMaps") is True,
                _read_rules(client),
            )
            for name, client in merged.items()
            if "source" in client
        },
        migrations=tuple(sorted(folders)),
        assets=tuple(sorted(set(_list_assets(merged)))),
        secrets=tuple(_list_secrets(merged)),
        policies=tuple(map(str, _list(parse_mapping(policies).get("python")))),
    )


def _read_compatibility(client: Mapping[str, Any]) -> Compatibility | None:
    flags = [str(flag) for flag in _list(client.get("compatibilityFlags"))]
    return read_node_compat(str(client.get("compatibilityDate", COMPATIBILITY_DATE)), flags)


def _read_rules(client: Mapping[str, Any]) -> tuple[ModuleRule, ...]:
    try:
        return tuple(map(ModuleRule.model_validate, _list(client.get("rules"))))
    except ValidationError:
        return ()  # the configuration is refused where it is read


def _list_migrations(client: Mapping[str, Any]) -> Iterator[str]:
    for database in mapping(client.get("databases")).values():
        folder = mapping(database).get("migrations")
        if isinstance(folder, str):
            yield folder


def _list_assets(clients: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for client in clients.values():
        assets = client.get("assets")
        if isinstance(assets, dict) and isinstance(assets.get("directory"), str):
            yield assets["directory"]


def _list_secrets(clients: Mapping[str, Mapping[str, Any]]) -> Iterator[SecretSource]:
    for client, fields in sorted(clients.items()):
        sources = dict(mapping(fields.get("secrets")))
        for name, binding in mapping(fields.get("bindings")).items():
            sources.update(_list_binding_sources(name, binding))
        for name, source in sorted(sources.items()):
            found = _read_source(f"client {client}: {name}", source)
            if found is not None:
                yield found


def _list_binding_sources(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """List the values inside a binding that may be a secret's source, each with its path.

    The text of a secret has the name of its binding, like one of the client's `secrets`.
    """
    for key, item in mapping(value).items():
        path = name if key == "text" else f"{name}.{key}"
        if isinstance(item, dict) and key not in ("json", "props"):
            is_source = len(item) == 1 or any(kind in item for kind in _AWS)
            yield from [(path, item)] if is_source else ()
            yield from _list_binding_sources(path, item)


def _read_source(owner: str, source: Any) -> SecretSource | None:
    if not isinstance(source, dict):
        return None
    for kind in ("environment", "file"):
        if isinstance(source.get(kind), str):
            return SecretSource(owner, kind, source[kind])
    for kind in _AWS:
        if kind in source and source.get("version") is None:
            return SecretSource(owner, "aws", str(source[kind]))
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
