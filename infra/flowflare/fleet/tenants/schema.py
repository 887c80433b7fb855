"""Define the keys of `tenants.yaml`.

Tenants can be listed in the file, in a folder with one file per tenant, or by a command. All three
forms are read by `source.py` before this schema checks them.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from flowflare.config.schema import Written, refusal
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
