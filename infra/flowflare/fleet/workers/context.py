"""Describe what a worker's task works with: one stack, its environment and its API clients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowflare.config.files import Project

if TYPE_CHECKING:
    from flowflare.api import Connector
    from flowflare.engine.contract import Stack
    from flowflare.values.events import OnEvent


@dataclass(frozen=True)
class TaskContext:
    """One task's stack and environment.

    Attributes:
        environ: the stack's environment variables with its secrets; equal to `os.environ`.
        forwarder: the forwarder's address with its token; None to call the API directly.
        gate: is called before every API call; raises if the pool has ended.
        pause: waits between calls; raises if the pool has ended.
    """

    project: Project
    options: Mapping[str, Any]
    environ: Mapping[str, str] = field(repr=False)
    forwarder: str | None = field(repr=False)
    gate: Callable[[], None]
    pause: Callable[[float], None]
    on_event: "OnEvent"

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.project.root

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.project.stack

    @cached_property
    def api(self) -> "Connector":
        """Opens the API's clients, through the forwarder if there is one."""
        from flowflare.api import Connector, Pace

        pace = Pace(sleep=self.pause, gate=self.gate)
        if self.forwarder is None:
            return Connector(pace)
        from flowflare.fleet.forwarder.connector import ForwardedConnector

        return ForwardedConnector(self.forwarder, self.stack, pace)

    def open_stack(self) -> "Stack":
        """Open the stack on its engine.

        Raises:
            EngineError: the stack needs the Pulumi CLI, which is not installed or has another
                version.
        """
        from flowflare.fleet.engines import open_fleet_stack

        return open_fleet_stack(self.project, self.environ, forwarder=self.forwarder, api=self.api)
