"""Find where a stack's file has the value of a key, and check a new value there.

A stack's key replaces the whole key of `Pulumi.yaml`, and a field of `clientOverrides` replaces the
whole field of its client. So if the stack's file has nothing of that key or field yet, its other
values are copied too.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any, Final

from flowflare.config.edit import Keys, Written, put_value, set_values
from flowflare.config.files import PROJECT_FILE, Project
from flowflare.config.load import load_stack
from flowflare.config.problems import mapping
from flowflare.config.schema import NAMESPACE
from flowflare.config.yaml_nodes import YamlText
from flowflare.errors import ConfigError, Problem
from flowflare.reading.json_text import JsonError, parse_json

CLIENTS: Final = f"{NAMESPACE}:clients"
OVERRIDES: Final = f"{NAMESPACE}:clientOverrides"
# A word, or a quoted text in brackets, as in Pulumi's `--path`.
_PART = re.compile(r'\.?([^.\[\]"]+)|\["([^"]+)"\]')


def parse_key(text: str) -> Keys:
    """Parse a key and the path inside its value: `flowflare:clientOverrides.orders.debug`.

    A key without a namespace is Flowflare's.

    Raises:
        ConfigError: it is not a key.
    """
    named = text if ":" in text.partition("[")[0] else f"{NAMESPACE}:{text}"
    parts, at = [], 0
    while match := _PART.match(named, at):
        parts.append(match[1] or match[2])
        at = match.end()
    if at != len(named) or not parts or not all(parts[0].partition(":")):
        remedy = "Write a key such as debug, aws:region or clientOverrides.orders.logpush."
        raise ConfigError([Problem(text, "is not the name of a key", remedy)])
    return tuple(parts)


def read_value(project: Project, keys: Keys) -> Any:
    """Return a value as JSON; None if neither file has it. A secret is `{"secure": text}`."""
    value = project.values.get(keys[0])
    if value is None:
        return None
    found: Any = value.text
    if value.secret or value.text[:1] in ("{", "["):
        try:
            found = parse_json(value.text)
        except JsonError:
            found = {"secure": value.text} if value.secret else value.text
    for key in keys[1:]:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def place_value(project: Project, keys: Keys, value: Written) -> dict[Keys, Written]:
    """Return what to write into the stack's file to set one value.

    Args:
        keys: the key and the path inside its value.

    Returns:
        The values to write by their keys; more than the value itself if a whole key is copied.
    """
    is_client = keys[0] == CLIENTS and len(keys) > 2
    if is_client and read_value(project, keys[:2]) is not None and not _has_own(project, CLIENTS):
        keys = (OVERRIDES, *keys[1:])
    if keys[0] == OVERRIDES and len(keys) > 3 and read_value(project, keys[:3]) is None:
        inherited = copy.deepcopy(mapping(read_value(project, (CLIENTS, *keys[1:3]))))
        put_value(inherited, keys[3:], value)
        keys, value = keys[:3], inherited
    if len(keys) > 1 and not _has_own(project, keys[0]):
        whole = copy.deepcopy(mapping(read_value(project, keys[:1])))
        put_value(whole, keys[1:], value)
        keys, value = keys[:1], whole
    return {keys: value}


def find_client(project: Project, secret: str, client: str | None) -> str:
    """Return the client that has a secret.

    Raises:
        ConfigError: there is no such client, or several clients could be meant.
    """
    clients = {
        name: {**mapping(mapping(read_value(project, (CLIENTS, name)))), **_override(project, name)}
        for name in mapping(read_value(project, (CLIENTS,)))
    }
    having = [name for name in clients if secret in mapping(clients[name].get("secrets"))]
    found = having if len(having) == 1 else list(clients)
    if client in clients or (client is None and len(found) == 1):
        return client or found[0]
    names = ", ".join(sorted(clients)) or "none"
    message = f"there is no client {client}" if client else f"several clients can have {secret}"
    remedy = f"Clients: {names}." if client else f"Name one with --client: {names}."
    if not clients:
        message, remedy = f"no client can have {secret}", "Declare clients in Pulumi.yaml."
    raise ConfigError([Problem(project.stack_file.name, message, remedy)])


def write_value(
    project: Project, keys: Keys, value: Written, *, header: Mapping[str, str] | None = None
) -> Project:
    """Set a value in the stack's file, and return the project with the new file.

    Args:
        keys: the key and the path inside its value.
        header: top-level keys to set with it.

    Raises:
        ConfigError: the value makes the configuration invalid; the file is unchanged.
    """
    before = _list_problems(project)
    file, shared = project.stack_file, project.shared

    def parse(text: str) -> Project:
        return shared.parse_stack(project.stack, YamlText(file.name, text))

    def check(text: str) -> None:
        known = {problem.message for problem in before}
        found = [each for each in _list_problems(parse(text)) if each.message not in known]
        if found:
            raise ConfigError(found)

    return parse(set_values(file, place_value(project, keys, value), header=header, check=check))


def _list_problems(project: Project) -> tuple[Problem, ...]:
    texts = {key: value.text for key, value in project.values.items()}
    try:
        load_stack(
            texts,
            project=project.name,
            stack=project.stack,
            origins=project.places,
            root=project.root,
        )
    except ConfigError as error:
        return error.problems
    return ()


def _override(project: Project, client: str) -> dict[str, Any]:
    return mapping(read_value(project, (OVERRIDES, client)))


def _has_own(project: Project, key: str) -> bool:
    """Return whether the stack's file has a key, or neither file has it."""
    value = project.values.get(key)
    return value is None or value.file != PROJECT_FILE
