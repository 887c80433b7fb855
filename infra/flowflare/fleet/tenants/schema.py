"""The keys of `tenants.yaml`, as people write them, and the JSON Schema that editors check it with.

Tenants may stand in the file, in a folder with one file each, or come from a command; `source.py`
brings the three together before this schema checks them.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from flowflare.config.schema import NAMESPACE, Written, refusal
from flowflare.fleet.tenants.model import Limits, Status, Wave
from flowflare.model.written import Environment, Word

_SHARE = re.compile(r"(\d{1,3})%")


def _wave(value: Any) -> Any:
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    good = 1 <= int(match[1]) <= 100 if match else type(value) is int and value >= 1
    if not good:
        remedy = "Write a number of tenants or a share of them, for example [1, 10%, 100%]."
        raise refusal(f"is {value!r}, which is no wave", remedy)
    return value


def _waves(value: list[Wave]) -> list[Wave]:
    if not value:
        raise refusal("is empty", "Without a wave nobody is upgraded: write [100%].")
    return value


def _or_nothing(value: Any) -> Any:
    """Nothing behind a name, `acme:`, is a mapping without keys."""
    return {} if value is None else value


_Waves = Annotated[
    list[
        Annotated[
            Wave,
            BeforeValidator(
                _wave,
                json_schema_input_type=Annotated[int, Field(ge=1)]
                | Annotated[str, Field(pattern="^([1-9][0-9]?|100)%$")],
            ),
        ]
    ],
    AfterValidator(_waves),
]
_Config = dict[str, JsonValue]


class PassphraseConfig(Written):
    """Where a stack's passphrase comes from; `{tenant}` and `{environment}` are filled in."""

    env: str | None = Field(
        default=None,
        min_length=1,
        description="The environment variable that holds it, for example `PASSPHRASE_{TENANT}`: "
        "the name in upper case, with `_` for `-`.",
    )
    file: str | None = Field(
        default=None, min_length=1, description="The file that holds it, without its last line end."
    )
    command: list[str] | None = Field(
        default=None, min_length=1, description="The command that prints it, as a list of words."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> "PassphraseConfig":
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            remedy = "Write one of env, file and command."
            raise refusal(f"has {' and '.join(given) or 'none'} of its keys", remedy)
        return self


class HealthConfig(Written):
    """What is checked of an upgraded tenant before the next wave."""

    workflow: str | None = Field(
        default=None,
        description="The Workflow that a synthetic run is made of; without it none is made.",
    )
    params: dict[str, JsonValue] = Field(
        default_factory=dict, description="The parameters of that run."
    )
    within_seconds: Annotated[float, Field(gt=0, le=3600, strict=False)] = Field(
        alias="withinSeconds", default=60, description="Seconds in which the run must complete."
    )
    max_error_rate: Annotated[float, Field(ge=0, le=1, strict=False)] = Field(
        alias="maxErrorRate",
        default=0.05,
        description="The share of a tenant's newest runs that may have failed, from 0 to 1.",
    )


class EnvironmentConfig(Written):
    """One environment of the fleet."""

    config: _Config = Field(
        default_factory=dict, description="What all its stacks are configured with."
    )
    waves: _Waves = Field(
        default=[1, "10%", "100%"],
        description="How many tenants are upgraded up to each halt: numbers, and shares of all.",
    )
    health: HealthConfig = Field(
        default_factory=HealthConfig, description="What is checked between the waves."
    )
    passphrase: PassphraseConfig | None = Field(
        default=None, description="Where the passphrases of its stacks come from."
    )


class TenantEnvironmentConfig(Written):
    """What one tenant has differently in one environment."""

    config: _Config = Field(
        default_factory=dict, description="Keys of this stack, before all others."
    )


class TenantConfig(Written):
    """One tenant."""

    status: Status = Field(
        default="active",
        description="`active`; `suspended`, switched off with its data kept; or `retired`, to be "
        "taken away.",
    )
    tags: list[Word] = Field(default_factory=list, description="Words to select it by.")
    only: list[Environment] | None = Field(
        default=None,
        min_length=1,
        description="The environments that it is in; all of them when left out.",
    )
    config: _Config = Field(
        default_factory=dict, description="What its stacks are configured with."
    )
    environments: dict[Environment, TenantEnvironmentConfig] = Field(
        default_factory=dict, description="What it has differently in single environments."
    )
    passphrase: PassphraseConfig | None = Field(
        default=None, description="Where its passphrases come from, before the environment's."
    )


class AccountLimitsConfig(Written):
    """What one Cloudflare account, or one zone, may have; Cloudflare raises them when asked."""

    workers: Annotated[int, Field(ge=1)] = Field(
        default=Limits().workers, description="Workers of an account."
    )
    databases: Annotated[int, Field(ge=1)] = Field(
        default=Limits().databases, description="D1 databases of an account."
    )
    cron_triggers: Annotated[int, Field(ge=1)] = Field(
        alias="cronTriggers",
        default=Limits().cron_triggers,
        description="Cron triggers of an account.",
    )
    routes: Annotated[int, Field(ge=1)] = Field(
        default=Limits().routes, description="Routes of a zone."
    )
    domains: Annotated[int, Field(ge=1)] = Field(
        default=Limits().domains, description="Custom domains of a zone."
    )


class TenantsFile(Written):
    """All of `tenants.yaml`, the tenants brought in from wherever they are."""

    defaults: _Config = Field(
        default_factory=dict,
        description="What every stack is configured with. A key without a namespace is "
        "Flowflare's; null takes a key away that was set before.",
    )
    environments: dict[Environment, Annotated[EnvironmentConfig, BeforeValidator(_or_nothing)]] = (
        Field(min_length=1, description="The environments by name.")
    )
    tenants: dict[Word, Annotated[TenantConfig, BeforeValidator(_or_nothing)]] = Field(
        default_factory=dict, description="The tenants by name."
    )
    limits: AccountLimitsConfig = Field(
        default_factory=AccountLimitsConfig, description="What an account or a zone may have."
    )


class _Folder(Written):
    """Tenants in files of their own, `<folder>/<name>.yaml`."""

    folder: str = Field(description="The folder with one file for each tenant, `<name>.yaml`.")


class _Command(Written):
    """Tenants that a command prints, as YAML or JSON: tenants by name."""

    command: list[str] = Field(
        min_length=1,
        description="The command that prints the tenants by name, as YAML or JSON; a list of "
        "words, run in the project's folder.",
    )


def json_schema() -> dict[str, Any]:
    """A JSON Schema of `tenants.yaml`; a `config` is checked as a stack's file is."""
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
    # Two forms have no tenants in them; a tenant may be called `folder` all the same.
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
    """The keys of a stack with and without their namespace; adds what they refer to."""
    from flowflare.config import reference

    of_stacks = reference.json_schema()
    definitions.update(of_stacks["$defs"])
    keys = of_stacks["properties"]["config"]["properties"]
    own = {key: value["anyOf"][0] for key, value in keys.items()}
    for fleets in ("tenant", "environment", "suspended"):
        del own[f"{NAMESPACE}:{fleets}"]
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
