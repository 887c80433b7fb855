"""Where a project's state lies, chosen as Pulumi chooses its backend.

`PULUMI_BACKEND_URL` goes before `backend: url:` of `Pulumi.yaml`. Both count when they name a
folder or a bucket, which projects may share, so that one can refer to the other's stacks; a path
that is not absolute begins at the project's folder. Any other backend is the Pulumi CLI's alone:
stacks of the embedded engine are then stored where they are without one, in `.flowflare/state`.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from flowflare.config.files import PROJECT_FILE, private_folder
from flowflare.config.yaml_nodes import plain_keys
from flowflare.errors import StateError
from flowflare.reading.files import read_text
from flowflare.state.backend import Backend
from flowflare.state.backends.folder import FolderStore
from flowflare.state.backends.registry import find_store
from flowflare.state.backends.store import Store

_VARIABLE: Final = "PULUMI_BACKEND_URL"
_GZIP: Final = "PULUMI_DIY_BACKEND_GZIP"


def store_of(root: Path, environ: Mapping[str, str]) -> Store:
    """Where a project keeps its state, and beside it what is known of its fleet.

    Args:
        root: the project's folder.
        environ: the environment.

    Raises:
        StateError: what is named cannot be used.
    """
    return _named(root, environ)[1] or _own(root)


def backend_of(root: Path, project: str, stack: str, environ: Mapping[str, str]) -> Backend:
    """Where a stack's state is.

    Args:
        root: the project's folder.
        project: the project's name.
        stack: the stack's name.
        environ: the environment.

    Raises:
        StateError: the stack has its state in the project's own folder, and another is named now.
    """
    gzip = environ.get(_GZIP, "").lower() in ("1", "t", "true")
    own = Backend(_own(root), project, stack, gzip=gzip)
    named, store = _named(root, environ)
    if store is None or store == own.store:
        return own
    other = Backend(store, project, stack, gzip=gzip, shared=True)
    if own.exists and not other.exists:
        raise StateError(
            f"stack {stack} has its state in {own.place}, and {named} names {store.url}",
            remedy=f"Take {named} away, or move what is in the one place to the other.",
        )
    return other


def named_backend(root: Path) -> str:
    """`backend: url:` of a project's `Pulumi.yaml`, empty where it has none."""
    return _backend_in(read_text(root / PROJECT_FILE))


@lru_cache(maxsize=4)
def _backend_in(text: str) -> str:
    """The same in a file's text: every stack of a fleet asks for it, several times."""
    backend = plain_keys(text).get("backend")
    return str(backend.get("url") or "") if isinstance(backend, dict) else ""


def _own(root: Path) -> FolderStore:
    return FolderStore((private_folder(root) / "state").resolve())


def _named(root: Path, environ: Mapping[str, str]) -> tuple[str, Store | None]:
    """What names a backend, and the backend; None where nothing does, or one that is not ours."""
    named, url = _VARIABLE, environ.get(_VARIABLE, "")
    if not url:
        named, url = f"backend.url in {PROJECT_FILE}", named_backend(root)
    return named, find_store(url, environ, base=root)
