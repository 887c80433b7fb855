"""Check that the plugins of a stack are installed before the CLI starts, and install them.

Without a plugin the CLI tries to download it several times before it reports that it is missing:
108 s if the network blocks the download. Looking for the plugin takes a few milliseconds. The rules
by which the CLI finds a plugin are in Pulumi's `sdk/go/common/workspace/plugins.go`.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import Final

from flowflare.config.files import ProjectFile
from flowflare.engine.pulumi_cli.command import Cli, cli_environment
from flowflare.engine.pulumi_cli.versions import Plugin, pinned_plugins
from flowflare.errors import EngineError
from flowflare.state.checkpoint import PROVIDER_PREFIX
from flowflare.values.events import Failure

#: The programs of Pulumi's release that run Python programs and their dynamic resources.
HOSTS: Final = ("pulumi-language-python", "pulumi-resource-pulumi-python")


def refuse_broken_plugins(stack: str, failures: Iterable[Failure]) -> None:
    """Refuse a run in which a provider itself failed.

    Raises:
        EngineError: a plugin does not run.
    """
    for failure in failures:
        if failure.type.startswith(PROVIDER_PREFIX):
            raise EngineError(
                f"a plugin of stack {stack} does not run: {failure.reason}",
                remedy=f"Run: flowflare doctor --stack {quote(stack)} --install",
            )


def require_plugins(
    what: str,
    project: ProjectFile,
    cli: Cli,
    environ: Mapping[str, str],
    *,
    runs_program: bool = True,
) -> None:
    """Refuse to start the CLI without the plugins that it will load.

    Args:
        what: what needs them, for the message: `stack prod`.
        runs_program: whether the program runs; the CLI loads the plugins of all its packages.

    Raises:
        EngineError: some are missing; the message has the commands that install them.
    """
    lacking = [host for host in HOSTS if not _has_host(host, cli, environ)]
    if lacking:
        raise EngineError(
            f"{what} needs {' and '.join(lacking)}: not found on PATH or beside {cli.path}",
            remedy="Pulumi's release has them: flowflare doctor --install",
        )
    wanted = required_plugins(project) if runs_program else []
    missing = [plugin for plugin in wanted if not is_installed(plugin, project, environ)]
    if missing:
        names = " and ".join(f"{plugin.name} {plugin.version}" for plugin in missing)
        one = len(missing) == 1
        raise EngineError(
            f"{what} needs the plugin{'' if one else 's'} {names}, which {'is' if one else 'are'} "
            "not installed",
            remedy=f"Run: {' && '.join(map(install_command, missing))}",
        )


def required_plugins(project: ProjectFile) -> list[Plugin]:
    """List the plugins that the program's installed packages pin.

    Args:
        project: the project; `virtualenv` of its runtime's options says which packages.
    """
    named = project.runtime_options.get("virtualenv")
    if named:
        return pinned_plugins((project.root / str(named)).glob("lib/python3*/site-packages"))
    return pinned_plugins()


def is_installed(plugin: Plugin, project: ProjectFile, environ: Mapping[str, str]) -> bool:
    """Return whether the CLI finds a plugin without downloading it.

    Args:
        plugin: the plugin, with its exact version.
        project: the project, which may take plugins from a folder.
    """
    variables = {**os.environ, **environ}
    attached = variables.get("PULUMI_DEBUG_PROVIDERS", "").split(",")
    if any(provider.partition(":")[0] == plugin.name for provider in attached):
        return True
    if plugin.name in project.own_plugins:
        return True
    if _is_on_path(f"pulumi-resource-{plugin.name}", variables):
        return True
    folder = plugin_folder(environ) / f"resource-{plugin.name}-v{plugin.version}"
    # An interrupted download leaves the second file.
    return folder.is_dir() and not folder.with_name(f"{folder.name}.partial").exists()


def plugin_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder in which the CLI stores plugins."""
    variables = {**os.environ, **environ}
    home = variables.get("PULUMI_HOME") or str(Path(variables.get("HOME") or "~") / ".pulumi")
    return Path(home).expanduser() / "plugins"


def install_command(plugin: Plugin) -> str:
    """Write the command that installs a plugin."""
    return f"pulumi plugin install resource {plugin.name} {plugin.version}"


def install_plugin(cli: Cli, plugin: Plugin, environ: Mapping[str, str]) -> None:
    """Install a resource plugin of an exact version.

    Raises:
        EngineError: the plugin cannot be downloaded.
    """
    done = subprocess.run(
        [str(cli.path), *install_command(plugin).split()[1:], "--non-interactive", "--color=never"],
        env=cli_environment(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["pulumi does not say why"]
        raise EngineError(
            f"the plugin {plugin.name} {plugin.version} could not be installed: {reason[0]}",
            remedy="It comes from get.pulumi.com. If it is not reachable, pass an archive: "
            f"{install_command(plugin)} --file ARCHIVE",
        )


def _has_host(host: str, cli: Cli, environ: Mapping[str, str]) -> bool:
    beside = {cli.path.absolute().parent / host, cli.path.resolve().parent / host}
    if any(os.access(program, os.X_OK) for program in beside):
        return True
    return _is_on_path(host, {**os.environ, **environ})


def _is_on_path(program: str, variables: Mapping[str, str]) -> bool:
    if variables.get("PULUMI_IGNORE_AMBIENT_PLUGINS", "").lower() in ("1", "true"):
        return False
    return shutil.which(program, path=variables.get("PATH", os.defpath)) is not None
