"""Define what a stack can do on either engine, and open a stack.

This is the only module that knows that there are two engines. Callers use a `Stack`, or ask
`config.engine.engine_of` what an engine needs before they open one.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from flowflare.config.engine import engine_of
from flowflare.config.files import Project
from flowflare.engine.choice import EVERYTHING, Choice
from flowflare.errors import FlowflareError
from flowflare.state.backend import Backend
from flowflare.state.checkpoint import Deployment
from flowflare.values.events import Event, OnEvent, Plan, Update

if TYPE_CHECKING:
    from flowflare.api import Connector
    from flowflare.engine.embedded.state_edit import StateEdit
    from flowflare.engine.plan_facts import CheckState, Observe

__all__ = ["Event", "Plan", "Stack", "Update", "find_backend", "open_stack", "read_state"]


class Stack(Protocol):
    """One stack of a project. Every method is a run of its own.

    All methods raise `FlowflareError` for a mistake in configuration, state or program.
    """

    @property
    def project(self) -> Project:
        """The project with the stack's configuration."""

    def preview(self, on_event: OnEvent | None = None, observe: "Observe | None" = None) -> Plan:
        """Plan what `up` would do; nothing is written.

        Args:
            on_event: takes each step as it is planned.
            observe: takes what the plan was made of, with its secrets.
        """

    def up(
        self,
        on_event: OnEvent | None = None,
        *,
        check_state: "CheckState | None" = None,
        choice: Choice = EVERYTHING,
    ) -> Update:
        """Bring the stack to what its program declares.

        Args:
            on_event: takes each event as it happens.
            check_state: called with the state while the run holds the stack, before it begins.
            choice: what to work on.

        Raises:
            LockedError: another run holds the stack.
            ProtectedError: the only failures are of protected resources.
            UpdateFailed: some resources failed; the others are in state.
        """

    def refresh(self, on_event: OnEvent | None = None) -> Update:
        """Compare the state with the account, so that the next `up` repairs what differs.

        Args:
            on_event: takes each event as it happens.

        Returns:
            A step for each resource: `delete` if the account lacks it, `update` if it differs.

        Raises:
            LockedError: another run holds the stack.
            UpdateFailed: some resources could not be read.
        """

    def plan_destroy(self, *, lose_data: Collection[str] = ()) -> Plan:
        """Plan what `destroy` would do; nothing is written.

        Args:
            lose_data: names of protected resources that would be deleted anyway.
        """

    def destroy(
        self, on_event: OnEvent | None = None, *, lose_data: Collection[str] = ()
    ) -> Update:
        """Delete every resource of the stack, dependents first.

        Args:
            on_event: takes each event as it happens.
            lose_data: names of protected resources that are deleted anyway.

        Raises:
            LockedError: another run holds the stack.
            ProtectedError: another resource is protected; nothing was deleted.
            UpdateFailed: some resources could not be deleted.
        """

    def outputs(
        self, *, show_secrets: bool = False, on_event: OnEvent | None = None
    ) -> dict[str, Any]:
        """Return the stack's outputs as JSON values, by name.

        Args:
            show_secrets: whether secrets are shown; otherwise they read `[secret]`.
            on_event: takes a warning if secrets cannot be read.
        """

    def read(self) -> Deployment:
        """Read the state; its secrets are decrypted on access."""

    def edit(self) -> "StateEdit":
        """Read the state once, to run the program over it and to replace it."""

    def is_empty(self) -> bool:
        """Return whether the stack has no resources."""

    def is_made(self) -> bool:
        """Return whether the backend has the stack, so that its state can be read."""

    def make(self) -> None:
        """Make the stack in its backend if it is missing there."""

    def remove(self) -> None:
        """Remove the stack's state and history, whatever resources it has.

        Raises:
            LockedError: another run holds the stack.
        """

    def unlock(self) -> Sequence[object]:
        """Remove the locks and the lease of dead runs; return what was removed as strings.

        Raises:
            LockedError: a run is under way on this machine.
        """

    def token(self) -> str:
        """Open the API token.

        Raises:
            SecretError: there is no token, or it cannot be opened here.
        """


def open_stack(
    project: Project, environ: Mapping[str, str], *, api: "Connector | None" = None
) -> Stack:
    """Open a stack on the engine that its configuration names.

    Args:
        api: opens the API's clients of an engine that calls from this process, by default with
            what this process shares.

    Raises:
        ConfigError: the engine that it names does not exist.
        EngineError: the Pulumi CLI runs it, and is missing or out of range.
    """
    if engine_of(project).needs_cli:
        from flowflare.engine.pulumi_cli.stack import CliStack

        return CliStack(project, environ=environ)
    from flowflare.engine.embedded.stack import EmbeddedStack

    return EmbeddedStack(project, environ=environ, api=api)


def find_backend(project: Project, environ: Mapping[str, str]) -> Backend | None:
    """Find where a stack's state can be read without the Pulumi CLI.

    Returns:
        The backend; None if only the Pulumi CLI can read it.
    """
    from flowflare.engine.pulumi_cli.state import find_cli_store
    from flowflare.state.location import open_backend

    if engine_of(project).needs_cli and find_cli_store(project.shared, environ) is None:
        return None
    return open_backend(project.shared, project.stack, environ)


def read_state(project: Project, environ: Mapping[str, str], *, opened: bool = True) -> Deployment:
    """Read a stack's state without the Pulumi CLI if possible.

    Args:
        opened: whether the Pulumi CLI must open the secrets of a state that it exports. If not,
            they stay sealed if it cannot open them; it opens all of them or none.

    Returns:
        The state; its secrets are decrypted on access.

    Raises:
        FlowflareError: the state cannot be read, or only the Pulumi CLI can read it and the CLI is
            not installed.
    """
    from flowflare.engine.pulumi_cli.state import backend_url, from_export, read_deployment
    from flowflare.state.backends.folder import parse_folder_url

    if not engine_of(project).needs_cli:
        return open_stack(project, environ).read()
    if parse_folder_url(backend_url(project.shared, environ), environ) is not None:
        return read_deployment(project, environ)
    from flowflare.engine.pulumi_cli.stack import CliStack

    stack = CliStack(project, environ=environ)
    try:
        return stack.read()
    except FlowflareError:
        if opened:
            raise
        return from_export(stack.export())
