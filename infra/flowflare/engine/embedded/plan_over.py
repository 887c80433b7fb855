"""Plan a program over a given state, with the embedded engine, for a stack of either engine.

Such a plan compares property by property and binding by binding. It needs no lock, no Pulumi CLI
and no account, and writes nothing.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flowflare.config.files import Project
from flowflare.engine.configuration import open_configuration, open_vault
from flowflare.engine.embedded.stack import EmbeddedStack
from flowflare.engine.embedded.stack_state import Source, StackState
from flowflare.state.checkpoint import Deployment
from flowflare.state.passphrase import Vault
from flowflare.values.events import OnEvent, Plan

if TYPE_CHECKING:
    from flowflare.engine.plan_facts import Observe


def plan_over(  # noqa: PLR0913 -- what a plan is made of, by keyword
    project: Project,
    deployment: Deployment,
    environ: Mapping[str, str],
    *,
    vault: Vault | None = None,
    on_event: OnEvent | None = None,
    run_program: Callable[..., None] | None = None,
    observe: "Observe | None" = None,
) -> Plan:
    """Plan what `up` would do if a stack had this state.

    Args:
        vault: opens the configuration; by default with the passphrase of the project's folder.
        run_program: runs the program; by default in this process.
        observe: takes what the plan was made of, with its secrets.

    Raises:
        FlowflareError: a secret cannot be opened, or the program failed.
    """

    def read_state() -> StackState:
        return join_state(project, deployment, vault or open_vault(project, environ))

    source = Source(read_state, run_program)
    return EmbeddedStack(project, environ=environ, source=source).preview(on_event, observe)


def join_state(project: Project, deployment: Deployment, vault: Vault) -> StackState:
    """Join a given state with the project's configuration.

    Raises:
        SecretError: a value of the configuration cannot be opened.
    """
    return StackState(deployment, vault, open_configuration(project, vault))
