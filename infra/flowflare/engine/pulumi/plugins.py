"""Installs plugins: one by its version, or a project's before several CLIs would fetch them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flowflare.engine.pulumi.command import Cli
from flowflare.engine.pulumi.versions import Plugin, cloudflare_plugin
from flowflare.errors import EngineError

#: Keeps CLIs from fetching what is there: two that do at once are in each other's way.
_FETCHES_NOTHING: Final = {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}


def install_plugin(cli: Cli, plugin: Plugin, environ: Mapping[str, str]) -> None:
    """Installs a resource plugin of an exact version.

    Raises:
        EngineError: it cannot be downloaded.
    """
    what = f"the plugin {plugin.name} {plugin.version}"
    _install(cli, environ, what, "resource", plugin.name, plugin.version)


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
    python = {"PULUMI_PYTHON_CMD": sys.executable}
    variables = {**os.environ, **python, **environ}
    _install(cli, variables, "the plugins of this project", "--cwd", str(root))
    return dict(_FETCHES_NOTHING)


def _install(cli: Cli, environ: Mapping[str, str], what: str, *words: str) -> None:
    done = subprocess.run(
        [str(cli.path), "plugin", "install", *words, "--non-interactive", "--color", "never"],
        env={**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        plugin = cloudflare_plugin()
        reason = done.stderr.strip().splitlines()[-1:] or ["pulumi does not say why"]
        raise EngineError(
            f"{what} could not be installed: {reason[0]}",
            remedy="It comes from get.pulumi.com. Where that cannot be reached, give an archive: "
            f"pulumi plugin install resource {plugin.name} {plugin.version} --file ARCHIVE",
        )
