"""Writes what the schema knows: the reference page, and a JSON Schema for editors."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from flowflare.config.problems import inner_model
from flowflare.config.schema import (
    NAMESPACE,
    ClientConfig,
    NamesConfig,
    StackConfig,
    WorkflowConfig,
)

_INTRODUCTION = """\
# Configuration

A stack is configured with Pulumi's own files: `Pulumi.yaml` holds what all stacks share,
`Pulumi.<stack>.yaml` what one stack has. A stack's key replaces the project's key whole; nothing
merges inside a value. What environments usually set differently is a key of its own for that
reason, and `clientOverrides` sets single fields of clients.

In `Pulumi.yaml` a list or a mapping stands under `value:`:

```yaml
config:
  flowflare:clients:
    value:
      orders:
        source: worker_src/orders/src/index.js
        workflows:
          order-processing:
            className: OrderWorkflow
```

The API is Cloudflare's unless `cloudflare:baseUrl` says otherwise; the token is
`cloudflare:apiToken`, which `pulumi config set --secret` encrypts. The environment variables
`CLOUDFLARE_BASE_URL` and `CLOUDFLARE_API_TOKEN` are the second choice.

Every mistake in these files is reported at once, with file, line, key and what to write instead.
"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("Keys", StackConfig),
    (f"One client, below `{NAMESPACE}:clients`", ClientConfig),
    ("One Workflow, below a client's `workflows`", WorkflowConfig),
    (f"Names, below `{NAMESPACE}:names`", NamesConfig),
)


def reference_page() -> str:
    """The Markdown text of docs/configuration.md."""
    return "\n".join([_INTRODUCTION, *_sections()])


def json_schema() -> dict[str, Any]:
    """A JSON Schema of `Pulumi.yaml` and `Pulumi.<stack>.yaml`, as far as this package goes.

    In the project's file a value may stand under `value:`; keys of other namespaces are left alone.
    """
    schema = StackConfig.model_json_schema()
    definitions = schema.pop("$defs", {})
    keys = {
        f"{NAMESPACE}:{name}": {
            "description": value.get("description", ""),
            "anyOf": [
                value,
                {
                    "type": "object",
                    "properties": {"value": value},
                    "required": ["value"],
                    "additionalProperties": False,
                },
            ],
        }
        for name, value in schema["properties"].items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Flowflare's keys in Pulumi's configuration",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                # A key of this namespace that is not listed is a mistake.
                "patternProperties": {f"^(?!{NAMESPACE}:)": {}},
                "additionalProperties": False,
            }
        },
        "$defs": definitions,
    }


def _sections() -> Iterator[str]:
    for title, model in _SECTIONS:
        yield f"## {title}\n"
        prefix = f"{NAMESPACE}:" if model is StackConfig else ""
        yield "| key | takes | without it | |"
        yield "|---|---|---|---|"
        for name, field in model.model_fields.items():
            cells = (
                f"`{prefix}{field.alias or name}`",
                _takes(field.annotation),
                _default(field),
                field.description or "",
            )
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""


def _takes(annotation: Any) -> str:
    """What a key takes, in words."""
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    inner = inner_model(annotation)
    if type(None) in arguments:
        text = _takes(arguments[0])
    elif origin is dict:
        text = "a mapping of names to mappings" if inner else "a mapping"
    elif origin is list:
        text = f"a list of {_takes(arguments[0])}"
    elif origin is Literal:
        text = " or ".join(f"`{argument}`" for argument in arguments)
    elif annotation is bool:
        text = "true or false"
    else:
        text = "a mapping" if inner else "text"
    return text


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None or field.default in (None, PydanticUndefined):
        return ""
    value = field.default
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
