"""Create a stack of the Pulumi CLI in its backend, with its file's salt or secrets provider."""

from collections.abc import Mapping

from flowflare.config.files import Project
from flowflare.engine.pulumi_cli.state import find_cli_store
from flowflare.engine.pulumi_cli.workspace import Workspace
from flowflare.errors import FlowflareError
from flowflare.state.backend import Backend


def is_made(project: Project, environ: Mapping[str, str]) -> bool | None:
    """Return whether the backend has the stack; None if only the CLI can find out.

    Raises:
        StateError: the backend cannot be reached.
    """
    store = find_cli_store(project.shared, environ)
    return None if store is None else Backend(store, project.name, project.stack).exists


def make(project: Project, environ: Mapping[str, str], workspace: Workspace) -> None:
    """Create the stack if it is missing (`pulumi stack init`), without selecting it.

    Raises:
        FlowflareError: the CLI cannot create it.
    """
    if is_made(project, environ):
        return
    provider = project.secrets_provider
    words = ["--secrets-provider", provider] if provider else []
    try:
        workspace.run("stack", "init", "--no-select", *words)
    except FlowflareError as error:
        if "already exists" not in error.message:
            raise
