"""What a worker's task works on: one stack, its surroundings, and what stands before each call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowflare.config.files import Project, read_project

if TYPE_CHECKING:
    from flowflare.api import Connector
    from flowflare.engine.contract import Stack
    from flowflare.values.events import OnEvent


@dataclass(frozen=True)
class Scene:
    """One task's stack and surroundings.

    Attributes:
        root: the project's folder.
        stack: the stack's name.
        options: what the kind takes.
        environ: the stack's environment, its secrets among it; `os.environ` is the same.
        forwarder: the address of the fleet's forwarder with its token, None for none.
        gate: stands before every call to the API; raises when the pool has gone.
        pause: waits between calls; raises when the pool has gone.
        tell: takes the engine's events.
    """

    root: Path
    stack: str
    options: Mapping[str, Any]
    environ: Mapping[str, str] = field(repr=False)
    forwarder: str | None = field(repr=False)
    gate: Callable[[], None]
    pause: Callable[[float], None]
    tell: "OnEvent"

    @cached_property
    def project(self) -> Project:
        """The project seen through the stack."""
        return read_project(self.root, self.stack)

    @cached_property
    def api(self) -> "Connector":
        """Opens the API's clients, through the forwarder where there is one."""
        from flowflare.fleet.workers.gated import gated

        return gated(self.gate, self.pause, self.forwarder, self.stack)

    def opened(self) -> "Stack":
        """The stack on its engine.

        Raises:
            EngineError: it is the Pulumi CLI's, which is not installed or of another version.
        """
        from flowflare.fleet.engines import opened

        return opened(self.project, self.environ, forwarder=self.forwarder, api=self.api)
