"""Model what the service and every client have in common: addresses and runtime settings."""

from pydantic import Field

from flowflare.model.frozen import Frozen

#: The start of a line in a Worker's code that names a package that could not be bundled for a
#: comparison.
NOT_COMPARED = "// not compared: "


class RouteSpec(Frozen):
    """A route of a zone."""

    pattern: str = Field(description="The URLs that it matches.")
    zone_id: str = Field(description="The zone.")


class DomainSpec(Frozen):
    """A custom domain."""

    hostname: str = Field(description="The host.")
    zone_id: str = Field(description="The zone.")


class LimitsSpec(Frozen):
    """What one request may use; None for Cloudflare's default."""

    cpu_ms: int | None = Field(default=None, description="CPU time in milliseconds.")
    subrequests: int | None = Field(default=None, description="Subrequests of one request.")


class PlacementSpec(Frozen):
    """Where a Worker runs; exactly one field is set."""

    mode: str | None = Field(default=None, description="`smart`.")
    region: str | None = Field(default=None, description="A cloud provider's region.")
    host: str | None = Field(default=None, description="A server with its port.")
    hostname: str | None = Field(default=None, description="A host that serves HTTP.")


class LogsSpec(Frozen):
    """Workers Logs."""

    enabled: bool = Field(default=True, description="Whether logs are kept.")
    invocation_logs: bool = Field(default=True, description="Whether each request is logged.")
    head_sampling_rate: float = Field(default=1, description="The share of requests, 0 to 1.")


class TracesSpec(Frozen):
    """Workers Traces."""

    enabled: bool = Field(default=True, description="Whether traces are kept.")
    head_sampling_rate: float = Field(default=1, description="The share of requests, 0 to 1.")


class ObservabilitySpec(Frozen):
    """What Cloudflare records about a Worker's requests."""

    enabled: bool = Field(default=False, description="Whether anything is recorded.")
    head_sampling_rate: float = Field(default=1, description="The share of requests, 0 to 1.")
    logs: LogsSpec = Field(default_factory=LogsSpec, description="Its logs.")
    traces: TracesSpec | None = Field(default=None, description="Its traces; None without traces.")


class WorkerSpec(Frozen):
    """A Worker of the stack, service or client."""

    script_name: str = Field(description="Name in the account.")
    workers_dev: bool = Field(description="Whether it has a workers.dev URL.")
    routes: tuple[RouteSpec, ...] = Field(default=(), description="Its routes, in order.")
    domains: tuple[DomainSpec, ...] = Field(default=(), description="Its custom domains.")
    compatibility_date: str = Field(description="The date that selects the runtime's behaviour.")
    compatibility_flags: tuple[str, ...] = Field(description="Compatibility flags, in order.")
    limits: LimitsSpec | None = Field(
        default=None, description="What one request may use; None for Cloudflare's default limits."
    )
    placement: PlacementSpec | None = Field(
        default=None, description="Where it runs; None for near its caller."
    )
    observability: ObservabilitySpec = Field(
        default_factory=ObservabilitySpec, description="What is recorded about its requests."
    )
    logpush: bool = Field(default=False, description="Whether Logpush receives its logs.")
    tail_consumers: tuple[str, ...] = Field(
        default=(), description="Names of the Workers that receive its logs."
    )
    crons: tuple[str, ...] | None = Field(
        default=None,
        description="Cron triggers. None removes all triggers if this stack has set any; otherwise "
        "it keeps them.",
    )
