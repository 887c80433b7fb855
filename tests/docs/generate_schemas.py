"""Generate the JSON Schemas in docs/reference/schemas from the models."""

from typing import Any

from pydantic import BaseModel, Field

from flowflare.config.schema import NAMESPACE, StackConfig, Written
from flowflare.fleet.preview.preview import FleetPreview
from flowflare.fleet.status import FleetStatus
from flowflare.fleet.tenants.schema import TenantsFile
from flowflare.kinds.bindings.registry import BINDING_SCHEMAS
from flowflare.review.document import PlanDocument
from flowflare.review.drift.model import DriftDocument
from flowflare.review.report import Report

#: The documents of commands by the file of their schema, each with the command.
DOCUMENTS: dict[str, tuple[type[BaseModel], str]] = {
    "plan": (PlanDocument, "flowflare preview --json"),
    "report": (Report, "flowflare diff --format json"),
    "drift": (DriftDocument, "flowflare drift --json"),
    "fleet-preview": (FleetPreview, "flowflare fleet preview --json"),
    "fleet-status": (FleetStatus, "flowflare fleet status --json"),
}


def document_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """Return the JSON Schema of a command's output, titled with the command."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    schema = model.model_json_schema(mode="serialization")
    body: dict[str, Any] = _remove_noise({**schema, "title": title})
    return head | body


def _remove_noise(schema: Any) -> Any:
    """Remove generated titles, and allow keys that later releases add."""
    if isinstance(schema, list):
        return [_remove_noise(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    noise = ("additionalProperties", "title")
    return {
        key: _remove_noise(value)
        for key, value in schema.items()
        if key not in noise or not isinstance(value, str | bool)
    }


def configuration_schema() -> dict[str, Any]:
    """Return a JSON Schema of Flowflare's keys in `Pulumi.yaml` and `Pulumi.<stack>.yaml`.

    In the project's file a value may be under `value:`. Keys of other namespaces are not checked.
    """
    schema = StackConfig.model_json_schema()
    definitions = schema.pop("$defs", {})
    # A binding of a known type must match that type's schema, not the one for unknown types.
    definitions["RawBinding"]["properties"]["type"]["not"] = {"enum": sorted(BINDING_SCHEMAS)}
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
                # Unknown keys of this namespace are mistakes.
                "patternProperties": {f"^(?!{NAMESPACE}:)": {}},
                "additionalProperties": False,
            }
        },
        "$defs": definitions,
    }


class _Folder(Written):
    """Tenants in separate files, `<folder>/<name>.yaml`."""

    folder: str = Field(description="The folder with a file for each tenant, `<name>.yaml`.")


class _Command(Written):
    """Tenants by name that a command prints as YAML or JSON."""

    command: list[str] = Field(
        min_length=1,
        description="The command, run in the project's folder, that prints the tenants by name as "
        "YAML or JSON; a list of words.",
    )


def tenants_schema() -> dict[str, Any]:
    """Return a JSON Schema of `tenants.yaml`; its `config` keys are those of a stack's file."""
    schema = TenantsFile.model_json_schema()
    definitions = schema["$defs"]
    _refer(schema["properties"]["defaults"])
    for name in ("EnvironmentConfig", "TenantEnvironmentConfig", "TenantConfig"):
        _refer(definitions[name]["properties"]["config"])
    definitions["Config"] = _config_schema(definitions)
    others = {model.__name__[1:]: model.model_json_schema() for model in (_Folder, _Command)}
    definitions.update(others)
    tenants, environments = schema["properties"]["tenants"], schema["properties"]["environments"]
    for named in (tenants, environments):
        named["additionalProperties"] = {"anyOf": [named["additionalProperties"], {"type": "null"}]}
    # `folder` and `command` are the other two forms, but a tenant may also have such a name.
    schema["properties"]["tenants"] = {
        "description": tenants["description"],
        "anyOf": [
            {"type": "object", "additionalProperties": tenants["additionalProperties"]},
            *({"$ref": f"#/$defs/{name}"} for name in others),
        ],
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return head | schema | {"title": "The tenants of a fleet"}


def _refer(config: dict[str, Any]) -> None:
    description = config["description"]
    config.clear()
    config |= {"description": description, "$ref": "#/$defs/Config"}


def _config_schema(definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of a stack's keys with and without namespace, and add its definitions."""
    of_stacks = configuration_schema()
    definitions.update(of_stacks["$defs"])
    keys = of_stacks["properties"]["config"]["properties"]
    own = {key: value["anyOf"][0] for key, value in keys.items()}
    for derived in ("tenant", "environment", "suspended"):
        del own[f"{NAMESPACE}:{derived}"]
    spelt = {
        name: {"description": value.get("description", ""), "anyOf": [value, {"type": "null"}]}
        for key, value in own.items()
        for name in (key, key.removeprefix(f"{NAMESPACE}:"))
    }
    return {
        "type": "object",
        "properties": spelt,
        "patternProperties": {f"^(?!{NAMESPACE}:).+:": {}},
        "additionalProperties": False,
    }
