"""What the service and every client are alike: where a Worker is reached and how it is run."""

from pydantic import Field

from flowflare.model.frozen import Frozen

#: How a line of a Worker's code begins that names a package which could not be bundled for a
#: comparison.
NOT_COMPARED = "// not compared: "


class RouteSpec(Frozen):
    """A route of a zone."""

    pattern: str = Field(description="What URLs it matches.")
    zone_id: str = Field(description="The zone.")


class DomainSpec(Frozen):
    """A custom domain."""

    hostname: str = Field(description="The host.")
    zone_id: str = Field(description="The zone.")


class LimitsSpec(Frozen):
    """What one call may use; None leaves it to Cloudflare."""

    cpu_ms: int | None = Field(default=None, description="CPU time in milliseconds.")
    subrequests: int | None = Field(default=None, description="Calls in turn.")


class PlacementSpec(Frozen):
    """Where a Worker runs; exactly one is given."""

    mode: str | None = Field(default=None, description="`smart`.")
    region: str | None = Field(default=None, description="A cloud's region.")
    host: str | None = Field(default=None, description="A server, with its port.")
    hostname: str | None = Field(default=None, description="A host that answers HTTP.")


class LogsSpec(Frozen):
    """Workers Logs."""

    enabled: bool = Field(default=True, description="Whether logs are kept.")
    invocation_logs: bool = Field(default=True, description="Whether each call is logged.")
    head_sampling_rate: float = Field(default=1, description="The share of calls, 0 to 1.")


class TracesSpec(Frozen):
    """Workers Traces."""

    enabled: bool = Field(default=True, description="Whether traces are kept.")
    head_sampling_rate: float = Field(default=1, description="The share of calls, 0 to 1.")


class ObservabilitySpec(Frozen):
    """What Cloudflare keeps of a Worker's calls."""

    enabled: bool = Field(default=False, description="Whether it keeps anything.")
    head_sampling_rate: float = Field(default=1, description="The share of calls, 0 to 1.")
    logs: LogsSpec = Field(default_factory=LogsSpec, description="Its logs.")
    traces: TracesSpec | None = Field(default=None, description="Its traces, None for none.")


class WorkerSpec(Frozen):
    """A Worker of the stack, whatever it does."""

    script_name: str = Field(description="Name in the account.")
    workers_dev: bool = Field(description="Whether it has a workers.dev URL.")
    routes: tuple[RouteSpec, ...] = Field(default=(), description="Its routes, in order.")
    domains: tuple[DomainSpec, ...] = Field(default=(), description="Its custom domains.")
    compatibility_date: str = Field(description="Date whose runtime behaviour it gets.")
    compatibility_flags: tuple[str, ...] = Field(description="Runtime flags, in order.")
    limits: LimitsSpec | None = Field(
        default=None, description="What a call may use; None as Cloudflare's own limits."
    )
    placement: PlacementSpec | None = Field(
        default=None, description="Where it runs; None near its caller."
    )
    observability: ObservabilitySpec = Field(
        default_factory=ObservabilitySpec, description="What is kept of its calls."
    )
    logpush: bool = Field(default=False, description="Whether Logpush gets its logs.")
    tail_consumers: tuple[str, ...] = Field(
        default=(), description="Names of the Workers that get its logs."
    )
    crons: tuple[str, ...] | None = Field(
        default=None,
        description="Cron triggers; None removes all if this stack set any, and keeps them if not.",
    )
