"""Open a stack on the embedded engine, whichever engine its configuration names."""

import os
from collections.abc import Mapping
from pathlib import Path

from flowflare.api import Connector
from flowflare.config.files import read_project
from flowflare.engine.embedded.stack import EmbeddedStack


def open_embedded(
    root: Path,
    stack: str,
    *,
    environ: Mapping[str, str] | None = None,
    api: Connector | None = None,
) -> EmbeddedStack:
    """Open a stack of the project in a folder, with this process's environment by default."""
    project = read_project(root, stack)
    return EmbeddedStack(project, environ=os.environ if environ is None else environ, api=api)
