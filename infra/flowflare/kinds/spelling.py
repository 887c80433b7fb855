"""Translates between Cloudflare's spelling and Pulumi's: `script_name` and `scriptName`."""

import re
from collections.abc import Iterable
from typing import Any

from flowflare.values.properties import Props, Value, as_number


def snake(name: str) -> str:
    """Cloudflare's name of one of Pulumi's: `script_name` of `scriptName`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)


def camel(name: str) -> str:
    """Pulumi's name of one of Cloudflare's: `scriptName` of `script_name`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def to_api(value: Value) -> Any:
    """A value as Cloudflare takes it: snake_case keys, no nulls, whole numbers without a point."""
    if isinstance(value, dict):
        return {snake(key): to_api(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [to_api(item) for item in value]
    return as_number(value) if isinstance(value, float) else value


def from_api(value: Any) -> Value:
    """An answer as Pulumi holds it: camelCase keys, no nulls, numbers as floats."""
    if isinstance(value, dict):
        return {camel(key): from_api(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [from_api(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def picked(answer: Any, names: Iterable[str]) -> Props:
    """The named attributes of an answer, those that it has."""
    found = from_api(answer) if isinstance(answer, dict) else {}
    return {name: found[name] for name in names if name in found}


def without_none(value: Value) -> Value:
    """The value without empty keys, at any depth: the provider leaves them out of its requests."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    return [without_none(item) for item in value] if isinstance(value, list) else value
