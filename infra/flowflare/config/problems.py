"""Turn validation errors into problems: the place, what is wrong, and what to write instead."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic_core import ErrorDetails

from flowflare.config.schema import NAMESPACE
from flowflare.errors import Problem

Origins = Mapping[str, tuple[str, int]]
#: The position of a value: its key without the namespace, then keys and indexes inside the value.
Path = tuple[str | int, ...]
#: The finding of a check: the position, what is wrong, and what to write instead.
Finding = tuple[Path, str, str]

_WANTED = {
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
}
_LIMITS = {
    "greater_than_equal": ("less than", "ge"),
    "less_than_equal": ("more than", "le"),
}


class Places:
    """Find the file and line of a key.

    Args:
        origins: the file and line by full key, and by keys inside its value, joined by dots.
        stack: the stack's name; its file is the place of a key that no file has.
    """

    def __init__(self, origins: Origins | None, stack: str) -> None:
        self._origins = origins or {}
        self._default = f"Pulumi.{stack}.yaml"

    def of(self, path: Path) -> str:
        """Return the `file:line` of a path, or of its innermost parent that is written."""
        for length in range(len(path), 0, -1):
            origin = self._origins.get(full_key(path[:length]))
            if origin:
                return f"{origin[0]}:{origin[1]}"
        return self._default


def mapping(value: object) -> dict[str, Any]:
    """Return the value if it is a mapping, otherwise an empty mapping; checks read any value."""
    return value if isinstance(value, dict) else {}


def full_key(path: Path) -> str:
    """Format a path for messages: `flowflare:clients.orders.source`."""
    return f"{NAMESPACE}:" + ".".join(str(part) for part in path)


def nearest(word: str, known: Iterable[str], what: str) -> str:
    """Return a sentence that suggests the most similar known word, or lists all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"{what}: {', '.join(known) or 'none'}."


def from_validation(
    errors: Sequence[ErrorDetails],
    model: type[BaseModel],
    moved: Callable[[Path], Path],
    places: Places,
    shown: Callable[[Path], str] | None = None,
) -> list[Problem]:
    """Turn pydantic's errors into problems.

    Args:
        model: the schema that was checked, for the known keys.
        moved: returns the path at which a value is written, for merged values.
        places: finds files and lines.
        shown: formats a position; by default as a key of Pulumi's configuration.
    """
    problems = []
    shown = shown or full_key
    for error in errors:
        is_name = error["loc"][-1:] == ("[key]",)
        path = tuple(error["loc"][:-1] if is_name else error["loc"])
        # The tag of a union's member is not a part of the written path.
        written = moved(tuple(part for part in path if not _is_tag(part)))
        message, remedy = _describe(error, path, model)
        if is_name:
            message = f"the name {message}" if message.startswith("is ") else message
        text = f"`{shown(written)}`: {message}"
        remedy = remedy and remedy.replace("<key>", _key_to_set(written, places))
        problems.append(Problem(places.of(written), text, remedy))
    return problems


def _key_to_set(path: Path, places: Places) -> str:
    """Return the key with which a stack sets a single value of a client.

    If the project's file has the clients, the stack's `clients` would replace all of them, so the
    key is below `clientOverrides`.
    """
    in_project = places.of(path).startswith("Pulumi.yaml:")
    return full_key(("clientOverrides", *path[1:]) if in_project else path)


def _describe(error: ErrorDetails, path: Path, model: type[BaseModel]) -> tuple[str, str | None]:
    kind = error["type"]
    if kind == "flowflare":
        return error["msg"], str(error["ctx"]["remedy"])
    if kind == "extra_forbidden":
        remedy = nearest(str(path[-1]), known_keys(model, path[:-1]), "Known keys")
        return "there is no such key", remedy
    if kind == "missing":
        field = _field_description(model, path)
        return "is missing", f"Add `{path[-1]}`: {field}"
    description = _field_description(model, path)
    return _describe_value(error, description, hidden="secrets" in path)


class _Hidden:
    """Replaces text where a secret's source is expected: it may be the secret itself."""

    def __repr__(self) -> str:
        return "a text"


def _describe_value(
    error: ErrorDetails, description: str, *, hidden: bool
) -> tuple[str, str | None]:
    """Describe what is wrong with the value of a known key."""
    kind, value = error["type"], error["input"]
    if hidden and isinstance(value, str):
        value = _Hidden()
    if kind == "literal_error":
        return f"is {value!r}", f"Write one of {error['ctx']['expected']}."
    if kind in _WANTED:
        wanted = _WANTED[kind]
        return f"is {_format(value)}, not {wanted}", description or f"Write {wanted}."
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        return f"is {value}, {words} {error['ctx'][limit]}", description or None
    if kind == "string_too_short":
        return "is empty", description or None
    return error["msg"], None


def _format(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "empty"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """List the keys that are allowed at a position of the configuration."""
    owner = _model_at(model, path)
    return [field.alias or name for name, field in owner.model_fields.items()] if owner else []


def _field_description(model: type[BaseModel], path: Path) -> str:
    owner = _model_at(model, path[:-1])
    for name, field in owner.model_fields.items() if owner else ():
        if (field.alias or name) == path[-1]:
            return field.description or ""
    return ""


def _is_tag(part: str | int) -> bool:
    """Return whether a part of pydantic's path names a union member, such as `<kv_namespace>`."""
    return isinstance(part, str) and part.startswith("<")


def _model_at(annotation: Any, path: Path) -> type[BaseModel] | None:
    """Follow a path through the schema: names of mappings, indexes of lists, members of unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _field_at(annotation, path) if path else annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _model_at(arguments[0], path)
    if origin in (dict, list):
        return _model_at(arguments[-1], path[1:])
    if origin not in (Union, UnionType):
        return None
    if path and _is_tag(path[0]):
        tagged = [member for member in arguments if Tag(str(path[0])) in get_args(member)]
        arguments, path = (tuple(tagged), path[1:]) if tagged else (arguments, path)
    found = (_model_at(member, path) for member in arguments)
    return next((model for model in found if model), None)


def _field_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    for name, field in model.model_fields.items():
        if (field.alias or name) == path[0]:
            return _model_at(field.annotation, path[1:])
    return None


def inner_model(annotation: object) -> type[BaseModel] | None:
    """Return the schema inside an annotation: of a nested key, or of a mapping's values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = inner_model(argument)
        if found:
            return found
    return None
