"""Generate reference/fleet-events.md: the lines that fleet commands print with `--json`."""

import inspect

from pydantic import BaseModel

from flowflare.fleet.rollout.events import MODELS, TenantsByProgress

_INTRODUCTION = """\
# Events of a fleet

`flowflare fleet up --json` and `flowflare fleet destroy --json` print one event per line, as a JSON
object. `event` is the kind of event, and `at` is its time (RFC 3339, UTC). The other fields are
listed below. A field without a value is omitted. Later releases may add events and fields, but
remove none. The last line is `done` (exit code 0) or `stopped` (exit code 1). A run that could not
begin prints no event, and prints the reason on standard error.

    flowflare fleet up -e prod --json | jq -r 'select(.event == "tenant-failed") | .error'
"""


def fleet_events_page() -> str:
    """Return the page's Markdown text, from the models."""
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
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        members = [member for member in schema["anyOf"] if member.get("type") != "null"]
        return " or ".join(map(_type, members))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return {"$ref": "object"}.get(next(iter(schema)), schema.get("type", "object"))
