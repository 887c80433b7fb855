"""Words a validation error so that its reader can put it right: where, what, what instead."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from flowflare.config.schema import NAMESPACE
from flowflare.errors import Problem

Origins = Mapping[str, tuple[str, int]]
#: Position of a value: its key without the namespace, then keys and indexes inside the value.
Path = tuple[str | int, ...]

_WANTED = {
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "int_type": "a whole number",
}


class Places:
    """Finds the file and line of a key.

    Args:
        origins: file and line by full key and, joined by dots, keys inside its value.
        stack: the stack's name, whose file is meant when a key stands nowhere.
    """

    def __init__(self, origins: Origins | None, stack: str) -> None:
        self._origins = origins or {}
        self._default = f"Pulumi.{stack}.yaml"

    def of(self, path: Path) -> str:
        """`file:line` of the innermost key on the path that stands in a file."""
        for length in range(len(path), 0, -1):
            origin = self._origins.get(full_key(path[:length]))
            if origin:
                return f"{origin[0]}:{origin[1]}"
        return self._default


def full_key(path: Path) -> str:
    """The path as it is shown: `flowflare:clients.orders.source`."""
    return f"{NAMESPACE}:" + ".".join(str(part) for part in path)


def nearest(word: str, known: Iterable[str], what: str) -> str:
    """A sentence naming the nearest known word, or all of them."""
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
) -> list[Problem]:
    """Turns pydantic's errors into problems.

    Args:
        errors: pydantic's list.
        model: the schema that was checked, for the known keys.
        moved: where a value really stands, for values that were overlaid on others.
        places: finds files and lines.
    """
    problems = []
    for error in errors:
        is_name = error["loc"][-1:] == ("[key]",)
        path = tuple(error["loc"][:-1] if is_name else error["loc"])
        written = moved(path)
        message, remedy = _words(error, path, model)
        if is_name:
            message = f"the name {message}" if message.startswith("is ") else message
        text = f"`{full_key(written)}`: {message}"
        problems.append(Problem(places.of(written), text, remedy))
    return problems


def _words(error: ErrorDetails, path: Path, model: type[BaseModel]) -> tuple[str, str | None]:
    kind = error["type"]
    if kind == "flowflare":
        return error["msg"], str(error["ctx"]["remedy"])
    if kind == "extra_forbidden":
        remedy = nearest(str(path[-1]), known_keys(model, path[:-1]), "Known keys")
        return "there is no such key", remedy
    if kind == "missing":
        field = _field_description(model, path)
        return "is missing", f"Add `{path[-1]}`: {field}"
    if kind == "literal_error":
        return f"is {error['input']!r}", f"Write one of {error['ctx']['expected']}."
    if kind in _WANTED:
        wanted = _WANTED[kind]
        remedy = _field_description(model, path) or f"Write {wanted}."
        return f"is {_shown(error['input'])}, not {wanted}", remedy
    return error["msg"], None


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "empty"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that may stand at that position of the configuration."""
    owner = _model_at(model, path)
    return [field.alias or name for name, field in owner.model_fields.items()] if owner else []


def _field_description(model: type[BaseModel], path: Path) -> str:
    owner = _model_at(model, path[:-1])
    for name, field in owner.model_fields.items() if owner else ():
        if (field.alias or name) == path[-1]:
            return field.description or ""
    return ""


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """Walks the schema along a path; names of a mapping lead to the mapping's values."""
    if not path:
        return model
    for name, field in model.model_fields.items():
        if (field.alias or name) == path[0]:
            inner = inner_model(field.annotation)
            is_mapping = inner is not field.annotation
            return _model_at(inner, path[2:] if is_mapping else path[1:]) if inner else None
    return None


def inner_model(annotation: object) -> type[BaseModel] | None:
    """The schema inside an annotation: of a nested key, or of a mapping's values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = inner_model(argument)
        if found:
            return found
    return None
