"""Choose where a project's state is stored, as Pulumi chooses its backend.

`PULUMI_BACKEND_URL` overrides `backend: url:` of `Pulumi.yaml`. Either may name a folder or a
bucket. Projects may share it, so that one can refer to the other's stacks. A relative path starts
at the project's folder. Only the Pulumi CLI can use other backends: the embedded engine then stores
its stacks in `.flowflare/state`, as it does without a backend.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flowflare.config.files import PROJECT_FILE, ProjectFile
from flowflare.errors import StateError
from flowflare.state.backend import Backend
from flowflare.state.backends.folder import FolderStore
from flowflare.state.backends.registry import find_store
from flowflare.state.backends.store import Store

_VARIABLE: Final = "PULUMI_BACKEND_URL"
_GZIP: Final = "PULUMI_DIY_BACKEND_GZIP"


def open_project_store(project: ProjectFile, environ: Mapping[str, str]) -> Store:
    """Open the store of a project's state and of its fleet's records.

    Raises:
        StateError: the configured backend cannot be used.
    """
    return _find_configured(project, environ)[1] or _open_own(project.root)


def open_backend(project: ProjectFile, stack: str, environ: Mapping[str, str]) -> Backend:
    """Open the backend of a stack's state.

    Raises:
        StateError: the stack's state is in the project's folder, but another backend is configured.
    """
    gzip = environ.get(_GZIP, "").lower() in ("1", "t", "true")
    own = Backend(_open_own(project.root), project.name, stack, gzip=gzip)
    named, store = _find_configured(project, environ)
    if store is None or store == own.store:
        return own
    other = Backend(store, project.name, stack, gzip=gzip, shared=True)
    if own.exists and not other.exists:
        raise StateError(
            f"the state of stack {stack} is in {own.place}, but {named} names {store.url}",
            remedy=f"Remove {named}, or move the state to the new backend.",
        )
    return other


def _open_own(root: Path) -> FolderStore:
    return FolderStore((root / ".flowflare" / "state").resolve())


def _find_configured(project: ProjectFile, environ: Mapping[str, str]) -> tuple[str, Store | None]:
    """Return the setting that names a backend, and its store; None if only the CLI can use it."""
    named, url = _VARIABLE, environ.get(_VARIABLE, "")
    if not url:
        named, url = f"backend.url in {PROJECT_FILE}", project.backend_url
    return named, find_store(url, environ, base=project.root)
