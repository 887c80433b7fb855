"""Read a stack's deployment from the Pulumi CLI's backend, as the embedded engine's data.

A `file://` backend is read directly, without the CLI. Any other backend is read with `pulumi stack
export`, which opens the secrets: they are kept in memory and not written.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from flowflare.config.files import Project, ProjectFile
from flowflare.engine.embedded import stack_state
from flowflare.errors import EngineError, SecretError, StateError
from flowflare.reading.files import read_text
from flowflare.reading.json_text import parse_json
from flowflare.state.backend import Backend
from flowflare.state.backends.folder import FolderStore, parse_folder_url
from flowflare.state.backends.registry import find_store, redact_url
from flowflare.state.backends.store import Store
from flowflare.state.checkpoint import Deployment, read_checkpoint
from flowflare.state.checkpoint_shape import check_deployment

PULUMI_CLOUD: Final = "https://api.pulumi.com"
Export = Callable[[], Mapping[str, Any]]


def backend_url(project: ProjectFile, environ: Mapping[str, str]) -> str:
    """Find the URL of this project's backend with the rules of the Pulumi CLI.

    Returns:
        PULUMI_BACKEND_URL, else `backend: url:` of `Pulumi.yaml`, else the backend that the
        user is logged in to; empty if there is none.
    """
    if environ.get("PULUMI_BACKEND_URL"):
        return environ["PULUMI_BACKEND_URL"]
    if project.backend_url:
        return project.backend_url
    home = environ.get("PULUMI_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".pulumi")
    try:
        credentials = parse_json(read_text(Path(home) / "credentials.json"))
    except (OSError, ValueError):
        return PULUMI_CLOUD if environ.get("PULUMI_ACCESS_TOKEN") else ""
    return str(credentials.get("current") or "") if isinstance(credentials, dict) else ""


def find_cli_store(project: ProjectFile, environ: Mapping[str, str]) -> Store | None:
    """Open the store where the Pulumi CLI keeps this project's state.

    Returns:
        The store; None for a backend that only the CLI can read, such as Pulumi Cloud.

    Raises:
        StateError: the URL has an option that is not known.
    """
    return find_store(backend_url(project, environ), environ, base=project.root)


def read_deployment(
    project: Project, environ: Mapping[str, str], export: Export | None = None
) -> Deployment:
    """Read a stack's state; its secrets are decrypted on access.

    Args:
        export: runs `pulumi stack export --show-secrets`; None without a CLI.

    Raises:
        StateError: the state cannot be read.
        EngineError: only the CLI can read the backend, and there is no CLI.
    """
    url = backend_url(project.shared, environ)
    folder = parse_folder_url(url, environ)
    if folder is not None:
        backend = Backend(FolderStore(project.root / folder), project.name, project.stack)
        return stack_state.read_deployment(backend, project, environ)
    if export is None:
        place = redact_url(url) or "an unknown place"
        raise EngineError(
            f"the state of stack {project.stack} is stored in {place}, which only the Pulumi CLI "
            "can read",
            remedy="Install it: flowflare doctor --install",
        )
    return from_export(export())


def stored_deployment(project: Project, environ: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Read a stack's deployment from a folder or a bucket, with its secrets sealed.

    `pulumi stack export` prints the same, but takes half a second of CPU to start.

    Returns:
        The deployment as `pulumi stack export` prints it below `deployment`; None for a stack or a
        backend that only the CLI can read.

    Raises:
        StateError: the backend cannot be reached.
    """
    store = find_cli_store(project.shared, environ)
    if store is None:
        return None
    checkpoint = (Backend(store, project.name, project.stack).load() or {}).get("checkpoint")
    latest = checkpoint.get("latest") if isinstance(checkpoint, dict) else None
    return latest if isinstance(latest, dict) else None


def from_export(exported: Mapping[str, Any]) -> Deployment:
    """Read the deployment that `pulumi stack export --show-secrets` printed.

    Raises:
        StateError: it does not have a version that this engine supports.
    """
    present: Any = exported.get("deployment")
    if present is None and "deployment" in exported:
        return Deployment()  # a stack without resources
    try:
        check_deployment(present)
    except ValueError as error:
        raise StateError(f"the exported state is not a Pulumi deployment: {error}") from None
    deployment = {
        key: value
        for key, value in present.items()
        if key != "secrets_providers"  # the secrets are open here
    }
    checkpoint = {"version": exported.get("version"), "checkpoint": {"latest": deployment}}
    return read_checkpoint(checkpoint, _NoSecrets())


class _NoSecrets:
    """Opens nothing: an export with open secrets has no sealed ones."""

    def open(self, ciphertext: str) -> Any:
        """Refuse."""
        del ciphertext
        raise SecretError("the Pulumi CLI exported it encrypted")
