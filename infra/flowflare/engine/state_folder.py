"""Where the embedded engine keeps a project's state, chosen as Pulumi chooses its backend.

`PULUMI_BACKEND_URL` goes before `backend: url:` of `Pulumi.yaml`. Both count when they say
`file://...`, which projects may share, so that one can refer to the other's stacks; a path that is
not absolute begins at the project's folder. Any other backend is the Pulumi CLI's alone: stacks of
the embedded engine then lie where they lie without one, in `.flowflare/state`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from flowflare.config.files import PROJECT_FILE, private_folder
from flowflare.engine.backend import Backend
from flowflare.engine.pulumi.state import local_folder
from flowflare.errors import StateError

_VARIABLE: Final = "PULUMI_BACKEND_URL"


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
    own = Backend(private_folder(root) / "state", project, stack)
    named, folder = _named(root, environ)
    if folder is None or folder == own.folder.resolve():
        return own
    other = Backend(folder, project, stack)
    if own.file.exists() and not other.file.exists():
        raise StateError(
            f"stack {stack} has its state in {own.folder}, and {named} names {folder}",
            remedy=f"Take {named} away, or move what is in the one folder to the other.",
        )
    return other


def _named(root: Path, environ: Mapping[str, str]) -> tuple[str, Path | None]:
    """What names a backend folder, and the folder; None where nothing does."""
    named, url = _VARIABLE, environ.get(_VARIABLE, "")
    if not url:
        named = f"backend.url in {PROJECT_FILE}"
        project = yaml.safe_load((root / PROJECT_FILE).read_text("utf-8"))
        backend = project.get("backend") if isinstance(project, dict) else None
        url = str(backend.get("url") or "") if isinstance(backend, dict) else ""
    folder = local_folder(url, environ)
    return named, None if folder is None else (root / folder).resolve()
