"""What the service and every client take alike: where a Worker is reached and how it is run."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from flowflare.config.schema.crons import Crons
from flowflare.model.written import (
    COMPATIBILITY_DATE,
    Date,
    Flags,
    Written,
    ZoneId,
    refusal,
)

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME = re.compile(rf"(?=.{{4,253}}$)({_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
_PATTERN = re.compile(r"(?:https?://|\*://)?(?P<host>[^/?#]+)(?P<path>/[^?#]*)?")
_SCRIPT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def _hostname(value: str) -> str:
    if not _HOSTNAME.fullmatch(value):
        remedy = "Write the host alone, in lower case: shop.example.com"
        raise refusal(f"is {value!r}, which is no hostname", remedy)
    return value


def _pattern(value: str) -> str:
    """Cloudflare's rule: a host that may begin with `*`, a path that may end with it."""
    match = _PATTERN.fullmatch(value)
    host = match["host"] if match else ""
    path = (match["path"] or "") if match else ""
    bare = host.removeprefix("*").removeprefix(".")
    if "*" in bare or "*" in path.removesuffix("*"):
        remedy = "A `*` may begin the host or end the path: *.example.com/api/*"
        raise refusal(f"is {value!r}, which has a `*` inside", remedy)
    if not _HOSTNAME.fullmatch(bare):
        remedy = "Write a host with a path, without a query: shop.example.com/api/*"
        raise refusal(f"is {value!r}, which is no pattern for a route", remedy)
    return value


def _script(value: str) -> str:
    if not _SCRIPT.fullmatch(value):
        remedy = "Write a Worker's name as it is in the account."
        raise refusal(f"is {value!r}, which is no Worker's name", remedy)
    return value


ScriptName = Annotated[str, AfterValidator(_script)]


class RouteConfig(Written):
    """One route."""

    pattern: Annotated[str, AfterValidator(_pattern)] = Field(
        description="What URLs it matches: a host, which may begin with `*`, and a path, which may "
        "end with it, for example `shop.example.com/api/*`."
    )
    zone_id: ZoneId = Field(
        alias="zoneId", description="The zone of the route's host, 32 hexadecimal digits."
    )


class DomainConfig(Written):
    """One custom domain."""

    hostname: Annotated[str, AfterValidator(_hostname)] = Field(
        description="The host that the Worker answers for; Cloudflare makes its DNS record."
    )
    zone_id: ZoneId = Field(
        alias="zoneId", description="The zone of the domain, 32 hexadecimal digits."
    )


class LimitsConfig(Written):
    """What one call of the Worker may use."""

    cpu_ms: Annotated[int, Field(ge=1, le=300_000)] | None = Field(
        alias="cpuMs", default=None, description="CPU time in milliseconds, at most 300000."
    )
    subrequests: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        default=None, description="Calls that it may make in turn."
    )


class PlacementConfig(Written):
    """Where the Worker runs."""

    mode: Literal["smart"] | None = Field(
        default=None, description="`smart`: near what it calls, as Cloudflare measures it."
    )
    region: str | None = Field(
        default=None, description="Near a cloud's region, for example `aws:eu-central-1`."
    )
    host: str | None = Field(
        default=None, description="Near a server, for example `db.example.com:5432`."
    )
    hostname: str | None = Field(default=None, description="Near a host that answers HTTP.")

    @model_validator(mode="after")
    def _one_of_them(self) -> "PlacementConfig":
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            remedy = "Write one of mode, region, host and hostname."
            raise refusal(f"has {' and '.join(given) or 'none'} of its keys", remedy)
        return self


_Rate = Annotated[float, Field(ge=0, le=1, strict=False)]


class LogsConfig(Written):
    """Workers Logs."""

    enabled: bool = Field(default=True, description="Whether logs are kept.")
    invocation_logs: bool = Field(
        alias="invocationLogs", default=True, description="Whether each call is logged by itself."
    )
    head_sampling_rate: _Rate = Field(
        alias="headSamplingRate", default=1, description="The share of calls that is logged."
    )


class TracesConfig(Written):
    """Workers Traces."""

    enabled: bool = Field(default=True, description="Whether traces are kept.")
    head_sampling_rate: _Rate = Field(
        alias="headSamplingRate", default=1, description="The share of calls that is traced."
    )


class ObservabilityConfig(Written):
    """What Cloudflare keeps of the Worker's calls."""

    enabled: bool = Field(default=True, description="Whether Cloudflare keeps its logs.")
    head_sampling_rate: _Rate = Field(
        alias="headSamplingRate",
        default=1,
        description="The share of calls that is looked at, from 0 to 1.",
    )
    logs: LogsConfig = Field(default_factory=LogsConfig, description="Workers Logs.")
    traces: TracesConfig | None = Field(
        default=None, description="Workers Traces; none are kept when left out."
    )


def _observability(value: Any) -> Any:
    return {"enabled": value} if isinstance(value, bool) else value


class TailConsumerConfig(Written):
    """A Worker that gets the logs of this one."""

    service: ScriptName = Field(description="The Worker's name in the account.")


class WorkerConfig(Written):
    """The keys that are the same for the service and for a client."""

    workers_dev: bool = Field(
        alias="workersDev",
        default=True,
        description="Whether the Worker is reachable at its workers.dev URL.",
    )
    routes: list[RouteConfig] = Field(
        default_factory=list, description="Routes of zones in the account that lead to the Worker."
    )
    domains: list[DomainConfig] = Field(
        default_factory=list, description="Custom domains that the Worker answers for."
    )
    compatibility_date: Date = Field(
        alias="compatibilityDate",
        default=COMPATIBILITY_DATE,
        description="The date whose runtime behaviour the Worker gets.",
    )
    compatibility_flags: Flags = Field(
        alias="compatibilityFlags",
        default_factory=list,
        description="Runtime flags, for example nodejs_compat.",
    )
    limits: LimitsConfig | None = Field(
        default=None, description="What one call may use; Cloudflare's limits when left out."
    )
    placement: PlacementConfig | None = Field(
        default=None, description="Where the Worker runs; near its caller when left out."
    )
    observability: Annotated[
        ObservabilityConfig,
        BeforeValidator(_observability, json_schema_input_type=bool | ObservabilityConfig),
    ] = Field(
        default=ObservabilityConfig(enabled=False),
        description="Whether Cloudflare keeps its logs (Workers Logs): true, false, or a mapping "
        "that says how much of what.",
    )
    logpush: bool = Field(
        default=False, description="Whether Logpush jobs of the account get its logs."
    )
    tail_consumers: list[TailConsumerConfig] = Field(
        alias="tailConsumers",
        default_factory=list,
        description="Workers that get its logs (Tail Workers).",
    )
    crons: Crons | None = Field(
        default=None,
        description="Cron triggers, in UTC. An empty list removes all triggers of the Worker, and "
        "so does leaving out the key after the stack set triggers. A Worker for which the stack "
        "never set any keeps its own.",
    )
