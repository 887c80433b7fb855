"""Define the keys that the service and all clients share: a Worker's addresses and settings."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from flowflare.config.schema.crons import Crons
from flowflare.model.written import (
    COMPATIBILITY_DATE,
    Date,
    Flags,
    ScriptName,
    Written,
    ZoneId,
    refusal,
)

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME = re.compile(rf"(?=.{{4,253}}$)({_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
_PATTERN = re.compile(r"(?:https?://|\*://)?(?P<host>[^/?#]+)(?P<path>/[^?#]*)?")


def _check_hostname(value: str) -> str:
    if not _HOSTNAME.fullmatch(value):
        remedy = "Write only the host, in lower case: shop.example.com"
        raise refusal(f"is {value!r}, which is not a hostname", remedy)
    return value


def _check_pattern(value: str) -> str:
    """Check a route by Cloudflare's rule: `*` may begin the host and end the path."""
    match = _PATTERN.fullmatch(value)
    host = match["host"] if match else ""
    path = (match["path"] or "") if match else ""
    bare = host.removeprefix("*").removeprefix(".")
    if "*" in bare or "*" in path.removesuffix("*"):
        remedy = "A `*` may only begin the host or end the path: *.example.com/api/*"
        raise refusal(f"is {value!r}, which has a `*` inside", remedy)
    if not _HOSTNAME.fullmatch(bare):
        remedy = "Write a host with a path, without a query: shop.example.com/api/*"
        raise refusal(f"is {value!r}, which is not a pattern for a route", remedy)
    return value


class RouteConfig(Written):
    """One route."""

    pattern: Annotated[str, AfterValidator(_check_pattern)] = Field(
        description="The URLs that it matches: a host, which may begin with `*`, and a path, which "
        "may end with `*`, for example `shop.example.com/api/*`."
    )
    zone_id: ZoneId = Field(
        alias="zoneId", description="The zone of the route's host, 32 hexadecimal digits."
    )


class DomainConfig(Written):
    """One custom domain."""

    hostname: Annotated[str, AfterValidator(_check_hostname)] = Field(
        description="The host that the Worker serves; Cloudflare creates its DNS record."
    )
    zone_id: ZoneId = Field(
        alias="zoneId", description="The zone of the domain, 32 hexadecimal digits."
    )


class LimitsConfig(Written):
    """The limits of one call of the Worker."""

    cpu_ms: Annotated[int, Field(ge=1, le=300_000)] | None = Field(
        alias="cpuMs", default=None, description="CPU time in milliseconds, at most 300000."
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


_Rate = Annotated[float, Field(ge=0, le=1, strict=False)]


class LogsConfig(Written):
    """Workers Logs."""

    enabled: bool = Field(default=True, description="Whether logs are kept.")
    invocation_logs: bool = Field(
        alias="invocationLogs", default=True, description="Whether each call has its own log entry."
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
    """The logs and traces that Cloudflare keeps of the Worker's calls."""

    enabled: bool = Field(default=True, description="Whether Cloudflare keeps logs.")
    head_sampling_rate: _Rate = Field(
        alias="headSamplingRate",
        default=1,
        description="The share of calls that is sampled, from 0 to 1.",
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


class WorkerConfig(Written):
    """The keys that are the same for the service and for a client."""

    workers_dev: bool = Field(
        alias="workersDev",
        default=True,
        description="Whether the Worker is reachable at its workers.dev URL.",
    )
    routes: list[RouteConfig] = Field(
        default_factory=list, description="The Worker's routes, in zones of the account."
    )
    domains: list[DomainConfig] = Field(
        default_factory=list, description="The Worker's custom domains."
    )
    compatibility_date: Date = Field(
        alias="compatibilityDate",
        default=COMPATIBILITY_DATE,
        description="The Worker's compatibility date.",
    )
    compatibility_flags: Flags = Field(
        alias="compatibilityFlags",
        default_factory=list,
        description="The Worker's compatibility flags, for example nodejs_compat.",
    )
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
        alias="tailConsumers",
        default_factory=list,
        description="Workers that get its logs (Tail Workers).",
    )
    crons: Crons | None = Field(
        default=None,
        description="Cron triggers, in UTC. An empty list removes all triggers of the Worker, and "
        "so does removing the key after the stack has set triggers. If the stack never set "
        "triggers, the Worker keeps its own.",
    )
