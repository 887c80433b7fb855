"""Define the keys of `tenants.yaml`, and the JSON Schema for editors.

Tenants can be listed in the file, in a folder with one file per tenant, or by a command. All three
forms are read by `source.py` before this schema checks them.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from flowflare.config import reference
from flowflare.config.schema import NAMESPACE, Written, refusal
from flowflare.fleet.tenants.model import Health, Limits, PassphraseSource, Status, WaveSize
from flowflare.model.written import Environment, Word

_SHARE = re.compile(r"(\d{1,3})%")


def _check_wave(value: Any) -> Any:
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    good = 1 <= int(match[1]) <= 100 if match else type(value) is int and value >= 1
    if not good:
        remedy = "Write a number of tenants or a share of them, for example [1, 10%, 100%]."
        raise refusal(f"is {value!r}, which is not a wave size", remedy)
    return value


def _check_waves(value: list[WaveSize]) -> list[WaveSize]:
    if not value:
        raise refusal("is empty", "No tenant would be deployed: write [100%].")
    return value


def _default_to_empty(value: Any) -> Any:
    """Read a name without a value, `acme:`, as a mapping without keys."""
    return {} if value is None else value


_Waves = Annotated[
    list[
        Annotated[
            WaveSize,
            BeforeValidator(
                _check_wave,
                json_schema_input_type=Annotated[int, Field(ge=1)]
                | Annotated[str, Field(pattern="^([1-9][0-9]?|100)%$")],
            ),
        ]
    ],
    AfterValidator(_check_waves),
]
_Config = dict[str, JsonValue]


class EnvironmentConfig(Written):
    """One environment of the fleet."""

    config: _Config = Field(
        default_factory=dict, description="The configuration of all its stacks."
    )
    waves: _Waves = Field(
        default=[1, "10%", "100%"],
        description="How many tenants have been deployed by the end of each wave: counts, or "
        "shares of all.",
    )
    health: Health = Field(default_factory=Health, description="The health check of its tenants.")
    passphrase: PassphraseSource | None = Field(
        default=None, description="The source of the passphrases of its stacks."
    )


class TenantEnvironmentConfig(Written):
    """The settings of one tenant in one environment."""

    config: _Config = Field(
        default_factory=dict,
        description="The configuration of this stack, which overrides all other layers.",
    )


class TenantConfig(Written):
    """One tenant."""

    status: Status = Field(
        default="active",
        description="`active`; `suspended`: switched off, with its data kept; or `retired`: to be "
        "removed.",
    )
    tags: list[Word] = Field(default_factory=list, description="Words that select the tenant.")
    only: list[Environment] | None = Field(
        default=None,
        min_length=1,
        description="The tenant's environments; by default all.",
    )
    config: _Config = Field(default_factory=dict, description="The configuration of its stacks.")
    environments: dict[Environment, TenantEnvironmentConfig] = Field(
        default_factory=dict, description="The tenant's settings by environment."
    )
    passphrase: PassphraseSource | None = Field(
        default=None,
        description="The source of its passphrases, which overrides the environment's.",
    )


class TenantsFile(Written):
    """The whole `tenants.yaml`, with the tenants from a folder or a command."""

    defaults: _Config = Field(
        default_factory=dict,
        description="The configuration of every stack. A key without a namespace is Flowflare's; "
        "null removes a key that an earlier layer sets.",
    )
    environments: dict[
        Environment, Annotated[EnvironmentConfig, BeforeValidator(_default_to_empty)]
    ] = Field(min_length=1, description="The environments by name.")
    tenants: dict[Word, Annotated[TenantConfig, BeforeValidator(_default_to_empty)]] = Field(
        default_factory=dict, description="The tenants by name."
    )
    limits: Limits = Field(
        default_factory=Limits, description="The limits of an account or a zone."
    )


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


def json_schema() -> dict[str, Any]:
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
    of_stacks = reference.json_schema()
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
