"""Pass stacks' configurations within a command, to a running program and to other processes.

A program that the embedded engine runs, and a worker process, receive it and read no file again.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from pydantic import TypeAdapter

from flowflare.config.files import Project

#: The project of the program that runs in this context; None if nothing has read it yet.
RUNNING: Final[ContextVar[Project | None]] = ContextVar("RUNNING", default=None)


class StackReader(Protocol):
    """Reads the configuration of a project's stacks: a `ProjectFile`, or a fleet's session."""

    @property
    def root(self) -> Path:
        """The project's folder."""

    def read_stack(self, stack: str) -> Project:
        """Return the project with a stack's configuration.

        Raises:
            ConfigError: the stack's file is missing or has problems.
        """


def dump_project(project: Project) -> dict[str, Any]:
    """Return a project as JSON values; its secrets are encrypted."""
    dumped: dict[str, Any] = _adapter().dump_python(project, mode="json")
    return dumped


def load_project(dumped: Mapping[str, Any]) -> Project:
    """Return the project of `dump_project`."""
    return _adapter().validate_python(dumped)


@cache
def _adapter() -> TypeAdapter[Project]:
    return TypeAdapter(Project)
