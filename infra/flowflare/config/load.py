"""Turn a stack's flat configuration into its model, and report all mistakes at once.

Pulumi passes only strings to a program. Here they become values of the schema, `clientOverrides` is
merged into `clients`, the checks that a schema cannot make are run (missing files, names that
collide), and the model is built.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path as FilePath
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from flowflare.config.checks import check_stack
from flowflare.config.files import PROJECT_FILE
from flowflare.config.problems import (
    Origins,
    Path,
    Places,
    from_validation,
    full_key,
    inner_model,
    mapping,
)
from flowflare.config.resolve import resolve_stack
from flowflare.config.schema import NAMESPACE, StackConfig
from flowflare.config.values import mark_secrets
from flowflare.errors import ConfigError, Problem
from flowflare.model import names
from flowflare.model.stack import StackSpec
from flowflare.reading.json_text import parse_json

# Python refuses to convert longer numbers.
_WHOLE = re.compile(r"[0-9]{1,999}")
_PREFIX = f"{NAMESPACE}:"
_CLIENTS = "clients"
_OVERRIDES = "clientOverrides"


def load_stack(
    values: Mapping[str, str],
    *,
    project: str,
    stack: str,
    origins: Origins | None = None,
    root: FilePath | None = None,
    secure: Collection[Path] = (),
) -> StackSpec:
    """Check a stack's configuration and build its model.

    Args:
        values: full key to text, as in `pulumi.Config`; other namespaces are ignored.
        origins: the file and line of each key, for problems (`Project.places`).
        root: the project's folder, in which the clients' sources must exist; None to skip the
            checks of files.
        secure: the paths of secrets before they were decrypted (`config/values.py`).

    Raises:
        ConfigError: the configuration has problems; the error lists all of them.
    """
    places = Places(origins, stack)
    problems: list[Problem] = []
    written = _parse_values(values, secure, places, problems)
    overrides = mapping(written.get(_OVERRIDES))
    written, moved = _merge_overrides(written, overrides, places, problems)
    config = None
    try:
        config = StackConfig.model_validate(written)
    except ValidationError as error:
        problems += from_validation(error.errors(), StackConfig, moved, places)
    environment = str(written.get("environment") or stack)
    problems += check_stack(written, environment, moved, places, root)
    problems += _check_environment(written, stack, places)
    if config is None or problems:
        raise ConfigError(sorted(problems, key=_reading_order))
    return resolve_stack(config, project=project, stack=stack)


def _parse_values(
    values: Mapping[str, str],
    secure: Collection[Path],
    places: Places,
    problems: list[Problem],
) -> dict[str, Any]:
    """Parse the strings of the namespace's structured values, booleans and numbers."""
    fields = {field.alias or name: field for name, field in StackConfig.model_fields.items()}
    written: dict[str, Any] = {}
    for key, text in values.items():
        if not key.startswith(_PREFIX):
            continue
        name = key.removeprefix(_PREFIX)
        field = fields.get(name)
        if field is not None and field.annotation is bool:
            written[name] = {"true": True, "false": False}.get(text, text)
        elif field is not None and _is_number(field.annotation) and _WHOLE.fullmatch(text):
            written[name] = int(text)
        elif field is not None and _is_structured(field.annotation):
            try:
                written[name] = mark_secrets(parse_json(text), (key,), secure)
            except ValueError:
                # The message must not contain a secret.
                shown = "a secret text" if (key,) in secure else f"{text!r:.60}"
                message = f"`{key}`: is {shown}, not a list or a mapping"
                problems.append(Problem(places.of((name,)), message, field.description))
        else:
            written[name] = text
    return written


def _reading_order(problem: Problem) -> tuple[bool, str, int]:
    file, _, line = problem.place.partition(":")
    return file != PROJECT_FILE, file, int(line or 0)


def _is_structured(annotation: object) -> bool:
    if get_origin(annotation) in (list, dict) or inner_model(annotation) is not None:
        return True
    return any(map(_is_structured, get_args(annotation)))


def _is_number(annotation: object) -> bool:
    return annotation is int or any(map(_is_number, get_args(annotation)))


def _merge_overrides(
    written: dict[str, Any],
    overrides: dict[str, Any],
    places: Places,
    problems: list[Problem],
) -> tuple[dict[str, Any], Any]:
    """Merge overrides into the clients; also return a function that finds where a value is written.

    The function maps a path of the merged clients to the path in the configuration.
    """
    clients = dict(mapping(written.get(_CLIENTS)))
    for name, fields in overrides.items():
        path: Path = (_OVERRIDES, name)
        if name not in clients:
            message = f"`{full_key(path)}`: there is no client `{name}`"
            remedy = f"Clients: {', '.join(sorted(clients)) or 'none'}."
            problems.append(Problem(places.of(path), message, remedy))
        elif isinstance(fields, dict) and isinstance(clients[name], dict):
            clients[name] = clients[name] | fields

    def find_written(path: Path) -> Path:
        overridden = len(path) > 2 and path[0] == _CLIENTS and path[1] in overrides
        if overridden and path[2] in mapping(overrides[str(path[1])]):
            return (_OVERRIDES, *path[1:])
        return path

    if _CLIENTS in written and not isinstance(written[_CLIENTS], dict):
        return written, find_written
    return written | {_CLIENTS: clients}, find_written


def _check_environment(written: dict[str, Any], stack: str, places: Places) -> list[Problem]:
    if written.get("environment") or names.ENVIRONMENT.fullmatch(stack):
        return []
    message = (
        f"`{full_key(('environment',))}`: is missing, and the stack's name {stack!r} cannot be "
        "used, because an environment can only have lower-case letters and digits"
    )
    usable = "".join(letter for letter in stack.lower() if letter.isascii() and letter.isalnum())
    remedy = f"Add `{full_key(('environment',))}: {usable.lstrip('0123456789') or 'dev'}`."
    return [Problem(places.of(("environment",)), message, remedy)]
