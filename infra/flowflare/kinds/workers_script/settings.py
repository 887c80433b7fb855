"""The settings of a script: the one place that lists them.

A setting is a field of `ScriptSettings`. Its name is the setting's name in Cloudflare's API, in
wrangler's configuration and, in camelCase, in the configuration and in Cloudflare's provider. The
declaration, `wrangler.jsonc`, drift, adoption and class migrations iterate the fields.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from flowflare.model.written import COMPATIBILITY_DATE, Date, Flags, ScriptName, Written, refusal


class LimitsConfig(Written):
    """The limits of one call of the Worker."""

    cpu_ms: Annotated[int, Field(ge=1, le=300_000)] | None = Field(
        default=None, description="CPU time in milliseconds, at most 300000."
    )
    subrequests: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        default=None, description="Requests that one call may make."
    )


class PlacementConfig(Written):
    """Where the Worker runs."""

    mode: Literal["smart"] | None = Field(
        default=None,
        description="`smart`: near the servers that it calls, by Cloudflare's metrics.",
    )
    region: str | None = Field(
        default=None, description="Near a cloud region, for example `aws:eu-central-1`."
    )
    host: str | None = Field(
        default=None, description="Near a server, for example `db.example.com:5432`."
    )
    hostname: str | None = Field(default=None, description="Near an HTTP server.")

    @model_validator(mode="after")
    def _require_one_key(self) -> "PlacementConfig":
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            remedy = "Write exactly one of mode, region, host and hostname."
            raise refusal(f"has {' and '.join(given) or 'none'} of its keys", remedy)
        return self


_Rate = Annotated[float, Field(ge=0, le=1, strict=False, validate_default=True)]


class LogsConfig(Written):
    """Workers Logs."""

    enabled: bool = Field(default=True, description="Whether logs are kept.")
    invocation_logs: bool = Field(
        default=True, description="Whether each call has its own log entry."
    )
    head_sampling_rate: _Rate = Field(default=1, description="The share of calls that is logged.")


class TracesConfig(Written):
    """Workers Traces."""

    enabled: bool = Field(default=True, description="Whether traces are kept.")
    head_sampling_rate: _Rate = Field(default=1, description="The share of calls that is traced.")


class ObservabilityConfig(Written):
    """The logs and traces that Cloudflare keeps of the Worker's calls."""

    enabled: bool = Field(default=True, description="Whether Cloudflare keeps logs.")
    head_sampling_rate: _Rate = Field(
        default=1, description="The share of calls that is sampled, from 0 to 1."
    )
    logs: LogsConfig = Field(default_factory=LogsConfig, description="Workers Logs.")
    traces: TracesConfig | None = Field(
        default=None, description="Workers Traces; by default none are kept."
    )


def _expand_boolean(value: Any) -> Any:
    return {"enabled": value} if isinstance(value, bool) else value


class TailConsumerConfig(Written):
    """A Worker that gets the logs of this Worker."""

    service: ScriptName = Field(description="The Worker's name in the account.")


class CompatibilitySettings(Written):
    """What every upload of a script needs, besides its code."""

    compatibility_date: Date = Field(
        default=COMPATIBILITY_DATE, description="The Worker's compatibility date."
    )
    compatibility_flags: Flags = Field(
        default_factory=list,
        description="The Worker's compatibility flags, for example nodejs_compat.",
    )


class ScriptSettings(CompatibilitySettings):
    """The settings of a script."""

    limits: LimitsConfig | None = Field(
        default=None, description="The limits of one call; by default Cloudflare's limits."
    )
    placement: PlacementConfig | None = Field(
        default=None, description="Where the Worker runs; by default near its caller."
    )
    observability: Annotated[
        ObservabilityConfig,
        BeforeValidator(_expand_boolean, json_schema_input_type=bool | ObservabilityConfig),
    ] = Field(
        default=ObservabilityConfig(enabled=False),
        description="Whether Cloudflare keeps its logs (Workers Logs): true, false, or a mapping "
        "of settings.",
    )
    logpush: bool = Field(
        default=False, description="Whether the account's Logpush jobs get its logs."
    )
    tail_consumers: list[TailConsumerConfig] = Field(
        default_factory=list, description="Workers that get its logs (Tail Workers)."
    )

    def to_wire(self) -> dict[str, Any]:
        """Return the settings that are set, as the API, wrangler and the provider spell them."""
        off = {"observability": {"enabled": False}}
        found = off | self.model_dump(include=set(SETTINGS), exclude_none=True)
        return found if self.observability.enabled else found | off


#: The names of the settings in the API.
SETTINGS: Final = tuple(
    name for name in ScriptSettings.model_fields if name not in CompatibilitySettings.model_fields
)
#: The settings that are lists: an upload that omits one keeps it, and their order means nothing.
LISTS: Final = tuple(
    name for name, field in ScriptSettings.model_fields.items() if field.default_factory is list
)


def read_setting(key: str, live: Mapping[str, Any]) -> Any:
    """Return a setting of the live script, without computed fields."""
    there = live.get(key)
    if key == "placement":  # with the placement that Cloudflare computed
        return {
            part: value
            for part, value in (there or {}).items()
            if part in PlacementConfig.model_fields
        }
    return there
