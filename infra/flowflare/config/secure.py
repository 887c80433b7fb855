"""Tells which leaves of a configuration are secrets, before and after somebody opened them.

Pulumi opens a structured value before a program sees it, and marks nothing but its whole key. What
was a secret is known from the files, and marked again here: a secret leaf is `{"secure": text}`.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from flowflare.config.files import ConfigValue
from flowflare.reading.json_text import parse_json

#: Where a value stands: its full key, then the keys and indexes inside it.
Path = tuple[str | int, ...]


def secure_paths(values: Mapping[str, ConfigValue]) -> frozenset[Path]:
    """Where the secret leaves of the files' values stand; the whole key for a secret text."""
    return frozenset(
        path for key, value in values.items() if value.secret for path in _paths(key, value)
    )


def _paths(key: str, value: ConfigValue) -> Iterator[Path]:
    try:
        read = parse_json(value.text)
    except ValueError:
        # The ciphertext of a value that is one secret as a whole.
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
    """Whether a value is a secret leaf, as Pulumi writes it."""
    return isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str)


def marked(value: Any, path: Path, secure: Collection[Path]) -> Any:
    """An opened value with its secret leaves marked as such.

    Args:
        value: what stands at the path.
        path: where it stands.
        secure: where secrets stand (`secure_paths`).
    """
    if path in secure and isinstance(value, str):
        return {"secure": value}
    if isinstance(value, dict):
        return {name: marked(item, (*path, name), secure) for name, item in value.items()}
    if isinstance(value, list):
        return [marked(item, (*path, index), secure) for index, item in enumerate(value)]
    return value
