"""Edit a stack's state: run the program over it, plan after a change, write it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from flowflare.config.files import Project
from flowflare.engine.embedded.apply import Deployer
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.engine.embedded.stack import EmbeddedStack
from flowflare.engine.embedded.stack_state import Source, StackState
from flowflare.engine.report import RunLog
from flowflare.errors import StateError
from flowflare.state.backend import Backend
from flowflare.state.backends.store import Store
from flowflare.state.checkpoint import Deployment
from flowflare.state.lock import lock_stack
from flowflare.values.events import Plan

D = TypeVar("D", bound=Deployer)


@dataclass(frozen=True)
class StateEdit:
    """A stack's state as it was read once, on either engine, with the means to replace it.

    Attributes:
        read_state: returns the same state, with the configuration opened.
        neighbours: the store of the stack's backend and the stack's key in it; None if only the
            Pulumi CLI can read the backend.
        write: replaces the state and seals its secrets. Takes the new state, and a function that it
            calls just before it writes, while it holds the stack. Raises `LockedError` if another
            run holds the stack, `StateError` if another run has written the state since.
    """

    project: Project
    environ: Mapping[str, str]
    deployment: Deployment
    read_state: Callable[[], StackState]
    neighbours: tuple[Store, str] | None
    write: Callable[[Deployment, Callable[[], None]], None]

    def run_over(self, make: Callable[[Ledger, Providers, RunLog], D]) -> tuple[Ledger, D, RunLog]:
        """Run the program once with another deployer; see `EmbeddedStack.run_over`."""
        return self._stack(self.read_state).run_over(make)

    def plan_after(self, deployment: Deployment) -> Plan:
        """Plan what the next `up` would do with another state."""
        return self._stack(lambda: replace(self.read_state(), deployment=deployment)).preview()

    def _stack(self, read_state: Callable[[], StackState]) -> EmbeddedStack:
        return EmbeddedStack(self.project, environ=self.environ, source=Source(read_state))


def edit_in_backend(
    backend: Backend, state: StackState, project: Project, environ: Mapping[str, str]
) -> StateEdit:
    """Edit a state of the embedded engine, which is stored in a backend.

    Args:
        backend: where the state was read.
        state: the state that was read.
    """

    def write(deployment: Deployment, before: Callable[[], None]) -> None:
        assert state.checkpoint is not None
        with lock_stack(backend) as held:
            if backend.read_current().tag != state.checkpoint.tag:
                raise describe_conflict(project)
            before()
            guard = held.holding.check
            put = backend.make_writer(state.vault, after=state.checkpoint, guard=guard)
            put(replace(deployment, salt=state.vault.salt))

    return StateEdit(
        project,
        environ,
        state.deployment,
        read_state=lambda: state,
        neighbours=(backend.store, backend.key),
        write=write,
    )


def describe_conflict(project: Project) -> StateError:
    """Make the error that another run has written the state since it was read."""
    return StateError(
        f"the state of stack {project.stack} was changed by another run in the meantime",
        remedy="Nothing was changed. Run it again.",
    )
