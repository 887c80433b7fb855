"""Translate between Cloudflare's spelling and Pulumi's: `script_name` and `scriptName`."""

import re
from collections.abc import Iterable
from typing import Any

from flowflare.values.properties import Props, Value, as_number


def snake(name: str) -> str:
    """Convert Pulumi's name to Cloudflare's: `scriptName` to `script_name`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)


def camel(name: str) -> str:
    """Convert Cloudflare's name to Pulumi's: `script_name` to `scriptName`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def to_api(value: Value) -> Any:
    """Convert a value for Cloudflare: snake_case keys, no nulls, whole numbers as integers."""
    if isinstance(value, dict):
        return {snake(key): to_api(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [to_api(item) for item in value]
    return as_number(value) if isinstance(value, float) else value


def from_api(value: Any) -> Value:
    """Convert a response for Pulumi: camelCase keys, no nulls, numbers as floats."""
    if isinstance(value, dict):
        return {camel(key): from_api(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [from_api(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def pick_attributes(answer: Any, names: Iterable[str]) -> Props:
    """Return the named attributes that a response has."""
    found = from_api(answer) if isinstance(answer, dict) else {}
    return {name: found[name] for name in names if name in found}


def without_none(value: Value) -> Value:
    """Return the value without nulls in mappings at any depth, as the provider sends it."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    return [without_none(item) for item in value] if isinstance(value, list) else value
