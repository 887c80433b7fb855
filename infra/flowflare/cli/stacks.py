"""Opens a stack on the engine that its configuration names: the embedded one, or the Pulumi CLI."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from flowflare.errors import EngineError

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.engine.contract import Plan, Stack
    from flowflare.values.events import OnEvent


def opened(project: "Project") -> "Stack":
    """The stack, ready for a run.

    Raises:
        EngineError: it is the Pulumi CLI's, which is not installed or of another version.
        ConfigError: the engine that it names does not exist, or its API is not on this machine.
    """
    from flowflare.cli.local import require_embedded
    from flowflare.config.engine import engine_of

    if engine_of(project).needs_emulator:
        require_embedded(project)
    from flowflare.engine.contract import open_stack

    return open_stack(project, os.environ)


def make_ready(project: "Project") -> None:
    """Makes sure of what a run needs: Node's packages and, for the embedded engine, its Cloudflare.

    Raises:
        NodeError: Node or its packages are missing and cannot be installed.
        EmulatorError: the embedded Cloudflare does not start.
    """
    from flowflare.cli.console import messages
    from flowflare.cli.local import ensure_running
    from flowflare.config.engine import engine_of
    from flowflare.render.node import ensure_node_packages

    if engine_of(project).needs_emulator:
        ensure_running(project)
    else:
        ensure_node_packages(lambda text: messages().print(text, markup=False), root=project.root)


def plan_of(
    project: "Project", say: Callable[[str], None], on_event: "OnEvent | None" = None
) -> "Plan":
    """What `up` would do.

    Where the Pulumi CLI is missing, its stacks are planned by the embedded engine against their
    own state, as far as that can be read without the CLI.

    Args:
        project: the project seen through the stack.
        say: is told what takes a while.
        on_event: is told each step as it is planned, and what the program says.
    """
    from flowflare.render.node import ensure_node_packages

    stack, missing = None, None
    try:
        stack = opened(project)
    except EngineError as error:
        missing = error  # not planned here: what goes wrong then has nothing to do with it
    if stack is None:
        assert missing is not None
        return _recorded(project, missing, say, on_event)
    ensure_node_packages(say, root=project.root)
    return stack.preview(on_event)


def _recorded(
    project: "Project",
    missing: EngineError,
    say: Callable[[str], None],
    on_event: "OnEvent | None",
) -> "Plan":
    from flowflare.cli.console import messages
    from flowflare.engine.pulumi.recorded import recorded_plan
    from flowflare.engine.pulumi.state import backend_url
    from flowflare.render.node import ensure_node_packages
    from flowflare.state.backends.folder import local_folder
    from flowflare.state.backends.registry import redacted

    url = backend_url(project.root, os.environ)
    if local_folder(url, os.environ) is None:
        raise missing
    ensure_node_packages(say, root=project.root)
    plan = recorded_plan(project, os.environ, on_event=on_event)
    messages().print(
        "The Pulumi CLI is not installed: this plan compares the program with the state in "
        f"{redacted(url)} and asks nobody.",
        markup=False,
    )
    return plan
