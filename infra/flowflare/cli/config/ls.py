"""`flowflare config ls`: list the values of a stack's configuration, and where they are written."""

import json as json_module
from typing import Any

from flowflare.cli.console import print_json, print_result
from flowflare.cli.options import (
    DEFAULT_STACK,
    JsonOption,
    ProjectOption,
    StackOption,
    choose_project_root,
)
from flowflare.config.edit import Keys
from flowflare.config.files import API_TOKEN, Project, read_project
from flowflare.config.placing import read_value
from flowflare.values.show import SECRET_TEXT


def ls(
    stack: StackOption = DEFAULT_STACK, cwd: ProjectOption = None, json: JsonOption = False
) -> None:
    """List the keys of a stack's configuration with value, file and line; secrets are masked.

    A key of the stack's file replaces the key of Pulumi.yaml; only the effective value is listed.

    Examples:

      flowflare config ls -s prod

      flowflare config ls --json | jq '.values[] | select(.file == "Pulumi.yaml").key'
    """
    project = read_project(choose_project_root(cwd), stack)
    rows = [dump_value(project, (key,)) for key in sorted(project.values)]
    if json:
        print_json({"stack": stack, "values": rows})
        return
    widths = [max((len(text(row)) for row in rows), default=0) for text in (_key, _place)]
    for row in rows:
        line = f"{_key(row):<{widths[0]}}  {_place(row):<{widths[1]}}  {format_value(row['value'])}"
        print_result(line)


def dump_value(project: Project, keys: Keys) -> dict[str, Any]:
    """Return a value with its place as JSON; secrets are masked."""
    value = read_value(project, keys)
    shown = _mask(value, keys)
    file, line = next(
        (project.places[path] for path in _paths(keys) if path in project.places),
        (project.stack_file.name, 0),
    )
    secret = shown != value
    return {"key": ".".join(keys), "value": shown, "secret": secret, "file": file, "line": line}


def format_value(value: Any) -> str:
    """Format a value in one line: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json_module.dumps(value, ensure_ascii=False)


def _mask(value: Any, keys: Keys) -> Any:
    # A text in the place of a secret's source may be the secret itself.
    is_plain_secret = isinstance(value, str) and "secrets" in keys[-2:-1]
    if is_plain_secret or keys == (API_TOKEN,):
        return SECRET_TEXT
    if isinstance(value, dict):
        if "secure" in value:  # also one that is not as Pulumi writes it
            return SECRET_TEXT
        return {name: _mask(item, (*keys, name)) for name, item in value.items()}
    return [_mask(item, (*keys, "")) for item in value] if isinstance(value, list) else value


def _paths(keys: Keys) -> list[str]:
    return [".".join(keys[:length]) for length in range(len(keys), 0, -1)]


def _key(row: dict[str, Any]) -> str:
    return str(row["key"])


def _place(row: dict[str, Any]) -> str:
    return f"{row['file']}:{row['line']}"
