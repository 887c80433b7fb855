"""Find the leaves of a configuration that are secrets, before and after Pulumi decrypts them.

Pulumi decrypts a structured value before it passes the value to a program, and only marks the whole
key as secret. The files show which leaves are secrets. They are marked again here: a secret leaf is
`{"secure": text}`.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from flowflare.config.files import ConfigValue
from flowflare.reading.json_text import parse_json

#: The position of a value: its full key, then the keys and indexes inside it.
Path = tuple[str | int, ...]


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
        value: the value at the path.
        path: its path.
        secure: the paths of secrets (`secure_paths`).
    """
    if path in secure and isinstance(value, str):
        return {"secure": value}
    if isinstance(value, dict):
        return {name: mark_secrets(item, (*path, name), secure) for name, item in value.items()}
    if isinstance(value, list):
        return [mark_secrets(item, (*path, index), secure) for index, item in enumerate(value)]
    return value
