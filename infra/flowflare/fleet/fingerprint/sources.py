"""What a configuration names beside itself: Workers' sources, migrations, places of secrets.

It is read as it is written, without Pulumi and without opening anything. What is wrong with it is
no matter here: the program says so when it runs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from flowflare.reading.json_text import parse_json

_AWS: Final = ("awsSecretsManager", "awsParameter")


@dataclass(frozen=True)
class SecretPlace:
    """Where a secret comes from that does not stand in the configuration.

    Attributes:
        owner: whose it is, for sentences: `client orders: TOKEN`.
        kind: `environment`, `file` or `aws`.
        name: the variable, or the file relative to the project.
    """

    owner: str
    kind: str
    name: str


@dataclass(frozen=True)
class Named:
    """What a stack's configuration names.

    Attributes:
        sources: the clients' sources by the clients' names.
        migrations: the migration folders of the clients' databases.
        secrets: secrets from elsewhere whose values may change without the configuration.
        policies: the files with the team's policies.
    """

    sources: Mapping[str, str]
    migrations: tuple[str, ...]
    secrets: tuple[SecretPlace, ...]
    policies: tuple[str, ...]


@lru_cache(maxsize=64)
def named(clients: str, overrides: str, policies: str) -> Named:
    """Reads three values of the namespace `flowflare`, JSON texts; empty where they are not set."""
    merged = _clients(_mapping(clients), _mapping(overrides))
    return Named(
        sources={name: str(one["source"]) for name, one in merged.items() if "source" in one},
        migrations=tuple(sorted({path for one in merged.values() for path in _migrations(one)})),
        secrets=tuple(_secrets(merged)),
        policies=tuple(map(str, _list(_mapping(policies).get("python")))),
    )


def _clients(
    written: Mapping[str, Any], overrides: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """The clients with `clientOverrides` laid over them, field by field."""
    merged: dict[str, Mapping[str, Any]] = {}
    for name, fields in written.items():
        over = overrides.get(name)
        both = [one for one in (fields, over) if isinstance(one, dict)]
        merged[name] = {key: value for one in both for key, value in one.items()}
    return merged


def _migrations(client: Mapping[str, Any]) -> Iterator[str]:
    for database in _values(client.get("databases")):
        if isinstance(database, dict) and isinstance(database.get("migrations"), str):
            yield database["migrations"]


def _secrets(clients: Mapping[str, Mapping[str, Any]]) -> Iterator[SecretPlace]:
    for client, fields in sorted(clients.items()):
        sources = dict(fields["secrets"]) if isinstance(fields.get("secrets"), dict) else {}
        bindings = fields.get("bindings")
        for name, binding in bindings.items() if isinstance(bindings, dict) else ():
            if isinstance(binding, dict) and binding.get("type") == "secret_text":
                sources[name] = binding.get("text")
        for name, source in sorted(sources.items()):
            place = _place(f"client {client}: {name}", source)
            if place is not None:
                yield place


def _place(owner: str, source: Any) -> SecretPlace | None:
    if not isinstance(source, dict):
        return None
    for kind in ("environment", "file"):
        if isinstance(source.get(kind), str):
            return SecretPlace(owner, kind, source[kind])
    for kind in _AWS:
        if kind in source and source.get("version") is None:
            return SecretPlace(owner, "aws", str(source[kind]))
    return None


def _mapping(text: str) -> Mapping[str, Any]:
    try:
        value = parse_json(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
