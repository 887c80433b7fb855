"""The key of a Worker's workers.dev URL in the configuration."""

from pydantic import Field

from flowflare.model.written import Written


class SubdomainSettings(Written):
    """Whether a Worker has a workers.dev URL."""

    workers_dev: bool = Field(
        default=True, description="Whether the Worker is reachable at its workers.dev URL."
    )
