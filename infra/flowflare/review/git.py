"""Run git with its own environment variables, and without a deployment's."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from flowflare.child_environment import child_environment
from flowflare.errors import FlowflareError


class CheckoutError(FlowflareError):
    """A commit does not exist, or a folder is not part of a git repository."""


def run_git(folder: Path, words: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run git and return its output without the last line feed.

    Args:
        folder: where it runs.
        words: its arguments.
        environment: more variables.

    Raises:
        CheckoutError: git failed or is not installed.
    """
    command = ["git", "-c", "core.quotePath=false", "-c", "advice.detachedHead=false", *words]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            check=False,
            env={**_select_environment(), **environment},
        )
    except FileNotFoundError:
        raise CheckoutError("git is not installed", remedy="Install git 2.30 or newer.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise CheckoutError(f"git {words[0]}: {said or 'failed'}")
    # Python's own encoding of file names: bytes that are not valid text survive the round trip.
    return os.fsdecode(done.stdout).rstrip("\n")


def _select_environment() -> dict[str, str]:
    """Select the variables for git: its own, and those for network access of Git LFS filters."""
    selected = child_environment(os.environ, prefixes=("GIT_", "SSH_"), network=True)
    return selected | {"GIT_OPTIONAL_LOCKS": "0"}
