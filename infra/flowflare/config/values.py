"""Read the values below `config:` of a file, and find the leaves that are secrets.

Pulumi decrypts a structured value before it passes the value to a program, and only marks the whole
key as secret. The files show which leaves are secrets. They are marked again here: a secret leaf is
`{"secure": text}`.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from flowflare.config.yaml_nodes import Entry, ValueReader, entries, scalar
from flowflare.errors import Problem
from flowflare.reading.json_text import parse_json

# The fields that Pulumi allows in the declaration of a key in Pulumi.yaml.
_DECLARATION = frozenset({"value", "default", "type", "description", "secret", "items"})
#: The position of a value: its full key, then the keys and indexes inside it.
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class ConfigValue:
    """One configuration value in the form that the program receives.

    Attributes:
        text: a plain string, a boolean or number as a string, or the JSON text of a structured
            value.
        secret: whether the value or a leaf of it is `{"secure": "v1:..."}`; `text` is then the
            ciphertext, or the JSON text with the secure leaves.
    """

    text: str
    secret: bool
    file: str
    line: int


def read_values(
    file: str,
    fields: Mapping[str, Entry],
    project: str,
    problems: list[Problem],
    *,
    declared: bool = False,
) -> tuple[dict[str, ConfigValue], dict[str, tuple[str, int]]]:
    """Read the `config:` block of a file; `declared` selects the rules of Pulumi.yaml."""
    block = fields.get("config")
    if block is None or (isinstance(block.node, yaml.ScalarNode) and scalar(block.node) is None):
        return {}, {}
    if not isinstance(block.node, yaml.MappingNode):
        text = "`config` has no keys; write one `namespace:key: value` per line"
        problems.append(Problem(f"{file}:{block.line}", text))
        return {}, {}
    values: dict[str, ConfigValue] = {}
    reader = ValueReader(file, problems)
    for entry in entries(block.node, file, problems):
        key = entry.key if ":" in entry.key else f"{project}:{entry.key}"
        node = _read_declaration(entry, file, problems) if declared else entry.node
        if node is None:
            continue
        value = reader.value(node, key, entry.line)
        if value is None:
            remedy = f"Give `{key}` a value, or delete the line."
            problems.append(Problem(f"{file}:{entry.line}", f"`{key}` has no value", remedy))
            continue
        text, secret = as_text(value)
        values[key] = ConfigValue(text, secret, file, entry.line)
    return values, reader.places


def _read_declaration(entry: Entry, file: str, problems: list[Problem]) -> yaml.Node | None:
    """Read a key's value in Pulumi.yaml, where a structured value is written under `value:`."""
    if isinstance(entry.node, yaml.ScalarNode):
        return entry.node
    place = f"{file}:{entry.line}"
    inner: dict[str, Entry] = {}
    if isinstance(entry.node, yaml.MappingNode):
        inner = {item.key: item for item in entries(entry.node, file, problems)}
    unknown = sorted(set(inner) - _DECLARATION)
    if not inner or unknown:
        text = f"`{entry.key}`: in {file}, a structured value must be under `value:`"
        remedy = f"Below `{entry.key}:`, write an indented `value:` with the value."
        problems.append(Problem(place, text, remedy))
        return None
    found = inner.get("value") or inner.get("default")
    return found.node if found else None


def as_text(value: object) -> tuple[str, bool]:
    """Return a value as a program receives it, and whether it contains a secret (`ConfigValue`)."""
    if isinstance(value, dict) and set(value) == {"secure"}:
        return str(value["secure"]), True
    if isinstance(value, bool):
        return str(value).lower(), False
    if isinstance(value, (dict, list)):
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text, _has_secret(value)
    return str(value), False


def _has_secret(value: object) -> bool:
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(_has_secret(item) for item in value.values())
    return isinstance(value, list) and any(_has_secret(item) for item in value)


def secure_paths(values: Mapping[str, ConfigValue]) -> frozenset[Path]:
    """Return the paths of the secret leaves of values; for a secret text, the key itself."""
    return frozenset(
        path for key, value in values.items() if value.secret for path in _paths(key, value)
    )


def _paths(key: str, value: ConfigValue) -> Iterator[Path]:
    try:
        read = parse_json(value.text)
    except ValueError:
        # The whole value is one ciphertext.
        yield (key,)
        return
    yield from _leaves(read, (key,))


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    if is_secure(value):
        yield path
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))


def is_secure(value: object) -> bool:
    """Return whether a value is a secret leaf as Pulumi writes it."""
    return isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str)


def mark_secrets(value: Any, path: Path, secure: Collection[Path]) -> Any:
    """Mark the secret leaves of a decrypted value.

    Args:
        secure: the paths of secrets (`secure_paths`).
    """
    if path in secure and isinstance(value, str):
        return {"secure": value}
    if isinstance(value, dict):
        return {name: mark_secrets(item, (*path, name), secure) for name, item in value.items()}
    if isinstance(value, list):
        return [mark_secrets(item, (*path, index), secure) for index, item in enumerate(value)]
    return value


def parse_mapping(text: str | None) -> dict[str, Any]:
    """Parse the JSON text of a mapping; of any other text, which the checks report, return {}."""
    try:
        value = parse_json(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def merge_clients(clients: str | None, overrides: str | None) -> dict[str, dict[str, Any]]:
    """Merge `clientOverrides` into `clients`, field by field; both are JSON strings."""
    over = parse_mapping(overrides)
    return {
        name: {
            key: value
            for layer in (fields, over.get(name))
            if isinstance(layer, dict)
            for key, value in layer.items()
        }
        for name, fields in parse_mapping(clients).items()
    }
