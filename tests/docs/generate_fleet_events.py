"""Generates reference/fleet-events.md: the lines that the fleet's commands print with `--json`."""

import inspect

from pydantic import BaseModel

from flowflare.fleet.rollout.events import MODELS, TenantsByProgress

_INTRODUCTION = """\
# Events of a fleet

`flowflare fleet up --json` and `flowflare fleet destroy --json` print one event a line, each a JSON
object. `event` says what happened and `at` when (RFC 3339, UTC); the other fields are below. A
field without a value is left out. New events and fields may come; none goes. The last line is
`done` (exit code 0) or `stopped` (exit code 1); a run that could not begin prints no event, and its
reason on standard error.

    flowflare fleet up -e prod --json | jq -r 'select(.event == "tenant-failed") | .error'
"""


def fleet_events_page() -> str:
    """The page, from the models."""
    parts = [_INTRODUCTION]
    parts += [_section(f"`{model.model_fields['event'].default}`", model) for model in MODELS]
    parts.append(_section("`where` of `stopped`", TenantsByProgress))
    return "\n".join(parts)


def _section(title: str, model: type[BaseModel]) -> str:
    lines = [
        f"## {title}",
        "",
        inspect.getdoc(model) or "",
        "",
        "| field | type | |",
        "|---|---|---|",
    ]
    schema = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        if name not in ("event", "at"):
            lines.append(f"| `{name}` | {_type(schema[name])} | {field.description} |")
    return "\n".join([*lines, ""])


def _type(schema: dict) -> str:
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"] if one.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return {"$ref": "object"}.get(next(iter(schema)), schema.get("type", "object"))
