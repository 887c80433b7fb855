"""Makes sure of a project's plugins once, before several CLIs run that would each fetch them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flowflare.engine.pulumi.command import Cli
from flowflare.engine.pulumi.versions import cloudflare_plugin
from flowflare.errors import EngineError

#: Keeps CLIs from fetching what is there: two that do at once are in each other's way.
_FETCHES_NOTHING: Final = {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}


def ensure_plugins(root: Path, cli: Cli, environ: Mapping[str, str]) -> dict[str, str]:
    """Installs what the project's program asks for and is not there, in the shared PULUMI_HOME.

    Args:
        root: the project's folder.
        cli: the CLI.
        environ: the environment of its commands.

    Returns:
        Variables for the CLIs that run afterwards.

    Raises:
        EngineError: a plugin is not there and cannot be downloaded.
    """
    plugin = cloudflare_plugin()
    if shutil.which(f"pulumi-resource-{plugin.name}", path=environ.get("PATH", "")):
        return {}  # one on PATH is used as it is, and `plugin install` would fetch another
    variables = {"PULUMI_PYTHON_CMD": sys.executable, **environ}
    done = subprocess.run(
        [str(cli.path), "plugin", "install", "--non-interactive", "--color", "never"],
        cwd=root,
        env={**os.environ, **variables, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["pulumi does not say why"]
        raise EngineError(
            f"the plugins of this project could not be installed: {reason[0]}",
            remedy="They come from get.pulumi.com. Where that cannot be reached, give an archive: "
            f"pulumi plugin install resource {plugin.name} {plugin.version} --file ARCHIVE",
        )
    return dict(_FETCHES_NOTHING)
