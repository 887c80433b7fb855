"""Where tests find the Pulumi CLI, and the one rule for when tests marked `pulumi_cli` run.

`make pulumi` builds the CLI into `build/pulumi` and calls this file for the programs beside it:

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
#: What each program beside the CLI runs: Python programs, and their dynamic resources.
PROGRAMS = {
    LANGUAGE_HOST: f'-P "{HERE / "pulumi_language.py"}"',
    "pulumi-resource-pulumi-python": "-u -m pulumi.dynamic",
}


def use_built_cli() -> None:
    """Put the built CLI on PATH, for this process and those that it starts."""
    if (BUILT / "pulumi").is_file():
        os.environ["PATH"] = os.pathsep.join([str(BUILT), os.environ.get("PATH", os.defpath)])


def why_not_runnable() -> str:
    """Say why the CLI cannot run Python programs here; an empty text if it can."""
    if shutil.which("pulumi") is None:
        how = "make pulumi" if shutil.which("go") else "install Go 1.26, then: make pulumi"
        return f"there is no pulumi on PATH or in build/pulumi ({how})"
    if shutil.which(LANGUAGE_HOST) is None:
        return f"there is no {LANGUAGE_HOST} on PATH (make pulumi)"
    return ""


def skip_without_cli(item: pytest.Item) -> None:
    """Skip a test marked `pulumi_cli`, with the reason, where the CLI cannot run programs."""
    if item.get_closest_marker("pulumi_cli") is not None and (reason := why_not_runnable()):
        pytest.skip(reason)


def cli_environ(folder: Path, backend: str = "") -> dict[str, str]:
    """Make the variables of a CLI that keeps to a folder and downloads nothing.

    The plugin that stands in for Cloudflare's is installed in it.

    Args:
        folder: a folder of the test's.
        backend: where the state is kept; by default a folder in it, which is made.
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
    """Write the programs that a release of Pulumi has beside its CLI.

    Args:
        folder: the folder of the CLI; it takes them from there without a warning.
    """
    for name, words in PROGRAMS.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        program.chmod(0o755)


if __name__ == "__main__":
    write_programs(Path(sys.argv[1]))
