"""Find the Pulumi CLI for tests, and skip tests marked `pulumi_cli` if it is missing.

`make pulumi` builds the CLI into `build/pulumi` and runs this file to write the programs beside it:

    python -m tests.support.pulumi_cli build/pulumi
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from flowflare.engine.pulumi_cli.versions import cloudflare_plugin

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "build" / "pulumi"
CLOUDFLARE_PLUGIN = HERE.parent / "engine" / "cloudflare_plugin.py"
LANGUAGE_HOST = "pulumi-language-python"
#: The program beside the CLI, and the arguments of Python with which it runs.
PROGRAMS = {
    LANGUAGE_HOST: f'-P "{HERE / "pulumi_language.py"}"',
    "pulumi-resource-pulumi-python": "-u -m pulumi.dynamic",
}


def use_built_cli() -> None:
    """Put the built CLI on PATH, for this process and those that it starts."""
    if (BUILT / "pulumi").is_file():
        os.environ["PATH"] = os.pathsep.join([str(BUILT), os.environ.get("PATH", os.defpath)])


def why_not_runnable() -> str:
    """Return why the CLI cannot run Python programs here, or an empty text if it can."""
    if shutil.which("pulumi") is None:
        how = "make pulumi" if shutil.which("go") else "install Go 1.26, then: make pulumi"
        return f"there is no pulumi on PATH or in build/pulumi ({how})"
    if shutil.which(LANGUAGE_HOST) is None:
        return f"there is no {LANGUAGE_HOST} on PATH (make pulumi)"
    return ""


def skip_without_cli(item: pytest.Item) -> None:
    """Skip a test marked `pulumi_cli` if the CLI cannot run programs; the skip names the reason."""
    if item.get_closest_marker("pulumi_cli") is not None and (reason := why_not_runnable()):
        pytest.skip(reason)


def cli_environ(folder: Path, backend: str = "") -> dict[str, str]:
    """Return the environment of a CLI that stores everything in one folder and downloads nothing.

    The fake Cloudflare plugin is installed in that folder.

    Args:
        folder: the folder.
        backend: the URL of the backend; by default the folder `state` in it, which is created.
    """
    pinned = cloudflare_plugin()
    home = folder / "home"
    plugin = home / f"plugins/resource-{pinned.name}-v{pinned.version}/pulumi-resource-cloudflare"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{CLOUDFLARE_PLUGIN}"\n')
    plugin.chmod(0o755)
    if not backend:
        (folder / "state").mkdir(exist_ok=True)
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": backend or f"file://{folder}/state",
        "PULUMI_PYTHON_CMD": sys.executable,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def write_programs(folder: Path) -> None:
    """Write the programs that a Pulumi release contains beside its CLI.

    Args:
        folder: the folder of the CLI, which starts programs from there without a warning.
    """
    for name, arguments in PROGRAMS.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        program.chmod(0o755)


if __name__ == "__main__":
    write_programs(Path(sys.argv[1]))
