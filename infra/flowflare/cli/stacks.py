"""Open a stack on its engine: the embedded one or the Pulumi CLI."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from flowflare.errors import EngineError

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.engine.contract import Plan, Stack
    from flowflare.engine.plan_facts import Observe
    from flowflare.kinds.access import ReadAccess
    from flowflare.values.events import OnEvent


def open_project_stack(project: "Project") -> "Stack":
    """Open a project's stack.

    Raises:
        EngineError: it needs the Pulumi CLI, which is missing or of another version.
        ConfigError: its engine does not exist, or its API is not on this machine.
    """
    from flowflare.cli.local import require_embedded
    from flowflare.config.engine import engine_of

    if engine_of(project).needs_emulator:
        require_embedded(project)
    from flowflare.engine.contract import open_stack

    return open_stack(project, os.environ)


def make_ready(project: "Project") -> None:
    """Prepare a run: install Node's packages, and start the embedded Cloudflare if needed.

    Raises:
        NodeError: Node or its packages are missing and cannot be installed.
        EmulatorError: the embedded Cloudflare does not start.
    """
    from flowflare.cli.console import print_message
    from flowflare.cli.local import ensure_running
    from flowflare.config.engine import engine_of
    from flowflare.render.node import ensure_node_packages

    if engine_of(project).needs_emulator:
        ensure_running(project)
    else:
        ensure_node_packages(print_message, root=project.root)


def make_plan(
    project: "Project",
    say: Callable[[str], None],
    on_event: "OnEvent | None" = None,
    observe: "Observe | None" = None,
) -> "Plan":
    """Plan what `up` would do.

    If the Pulumi CLI is missing, the embedded engine plans its stacks against their state, provided
    that the state is in a folder.

    Args:
        say: called with a sentence before slow work.
        on_event: called with each planned step, and each message of the program.
        observe: takes what the plan was made of, with its secrets.
    """
    from flowflare.render.node import ensure_node_packages

    stack, missing = None, None
    try:
        stack = open_project_stack(project)
    except EngineError as error:
        missing = error  # planned below, so that an error there is not chained to this one
    if stack is None:
        assert missing is not None
        return _plan_without_cli(project, missing, say, on_event, observe)
    ensure_node_packages(say, root=project.root)
    return _add_needs(project, stack.preview(on_event, observe), on_event)


def _add_needs(project: "Project", plan: "Plan", on_event: "OnEvent | None") -> "Plan":
    """Add what the stack lacks outside of it; warn of what could not be looked up."""
    from flowflare.engine.preflight import add_needs, find_needs
    from flowflare.values.events import warn

    needs = find_needs(project, os.environ, lambda: open_account(project))
    for text in needs.unchecked:
        warn(on_event, text)
    return add_needs(plan, needs)


def open_account(project: "Project") -> "ReadAccess":
    """Open the stack's account, to be read while a person waits.

    Raises:
        FlowflareError: there is no token, or the embedded Cloudflare does not run.
    """
    from flowflare.api import Connector, Pace, Retries
    from flowflare.cli.local import require_running
    from flowflare.config.engine import engine_of
    from flowflare.engine.access import find_token, read_base_url
    from flowflare.kinds.access import ReadAccess

    if engine_of(project).needs_emulator:
        require_running(project)
    pace = Pace(timeout=15.0, retries=Retries(attempts=2, patience=10.0))
    token = find_token(project, os.environ)
    return ReadAccess(read_base_url(project, os.environ), token, api=Connector(pace))


def _plan_without_cli(
    project: "Project",
    missing: EngineError,
    say: Callable[[str], None],
    on_event: "OnEvent | None",
    observe: "Observe | None",
) -> "Plan":
    from flowflare.cli.console import print_message
    from flowflare.engine.pulumi_cli.recorded import recorded_plan
    from flowflare.engine.pulumi_cli.state import backend_url
    from flowflare.render.node import ensure_node_packages
    from flowflare.state.backends.folder import parse_folder_url
    from flowflare.state.backends.registry import redact_url

    url = backend_url(project.shared, os.environ)
    if parse_folder_url(url, os.environ) is None:
        raise missing
    ensure_node_packages(say, root=project.root)
    plan = recorded_plan(project, os.environ, on_event=on_event, observe=observe)
    print_message(
        "The Pulumi CLI is not installed: this plan compares the program with the state in "
        f"{redact_url(url)} and makes no calls."
    )
    return _add_needs(project, plan, on_event)
