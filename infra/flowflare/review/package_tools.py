"""Run the tool that installs the packages of a lock file: npm, pnpm or Yarn.

npm comes with Node's Python package; the others are used if they are installed. They get the files
that determine the result in a separate folder, and do not run packages' scripts.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from flowflare.child_environment import child_environment
from flowflare.errors import NodeError
from flowflare.render.node import find_node, find_npm, make_npm_environment

#: Installs into a folder with a lock file, given all files by their path in the commit.
Installer = Callable[[Path, Mapping[str, bytes]], None]

_TIMEOUT: Final = 900.0  # seconds
_NPM: Final = (
    *("ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--prefer-offline"),
    *("--no-progress", "--no-update-notifier", "--fetch-retries=1", "--fetch-retry-mintimeout=500"),
)
_PNPM: Final = ("install", "--frozen-lockfile", "--ignore-scripts", "--ignore-pnpmfile")
_YARN: Final = ("install", "--frozen-lockfile", "--ignore-scripts", "--non-interactive")
# pnpm and Corepack would download and run the version that the commit's package.json names. Yarn
# runs the scripts of a package from git, whatever its options say: git must not reach any.
_NO_FOREIGN_CODE: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "npm_config_manage_package_manager_versions": "false",
    "COREPACK_ENABLE_PROJECT_SPEC": "0",
    "YARN_IGNORE_PATH": "1",
}
_YARN_1: Final = b"# yarn lockfile v1"
# A patch of patch-package changes files by their path from the folder of the lock file.
_PATCHES_MODULES: Final = re.compile(rb"^(?:---|\+\+\+) [ab]/node_modules/", re.MULTILINE)
_UNSAID: Final = re.compile(r"(?:npm error )?(?:code|syscall|errno) .*")
_GIT_REFUSED: Final = re.compile(r"fatal: transport '\S*' not allowed")
_PASSWORD: Final = re.compile(r"//[^/@\s]+@")
_WIDEST: Final = 200


def choose_installer(name: str, data: bytes) -> Installer:
    """Choose how the packages of a lock file are installed.

    Raises:
        NodeError: the tool is missing, or this lock file cannot be installed.
    """
    if name in ("package-lock.json", "npm-shrinkwrap.json"):
        node = find_node()
        return _make_installer([str(node), str(find_npm(node)), *_NPM])
    if name == "pnpm-lock.yaml":
        return _make_installer([_find_tool("pnpm"), *_PNPM])
    if name == "yarn.lock" and _YARN_1 in data:
        return _make_installer([_find_tool("yarn"), *_YARN])
    raise NodeError(f"packages of a {name} of this version are not installed")


def _find_tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NodeError(f"{name} is not installed")
    return found


def _make_installer(command: Sequence[str]) -> Installer:
    def install(folder: Path, files: Mapping[str, bytes]) -> None:
        _run(command, folder, make_npm_environment() | _NO_FOREIGN_CODE)
        for name, data in sorted(files.items()):
            if name.endswith(".patch") and _PATCHES_MODULES.search(data):
                _apply_patch(folder, name, data)

    return install


def _apply_patch(folder: Path, name: str, data: bytes) -> None:
    """Apply a patch as patch-package does in a script of the project."""
    # git would take paths from the top folder of a repository that has the cache in it.
    environ = child_environment(os.environ) | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    try:
        _run(["git", "apply", "--whitespace=nowarn", "-"], folder, environ, data)
    except NodeError as error:
        raise NodeError(f"{name} does not apply: {error.message}") from None


def _run(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], stdin: bytes = b""
) -> None:
    tool = Path(command[1] if command[1].endswith(".js") else command[0]).stem.removesuffix("-cli")
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environ,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
        )
    except FileNotFoundError:
        raise NodeError(f"{tool} is not installed") from None
    except subprocess.TimeoutExpired:
        raise NodeError(f"{tool} took longer than {_TIMEOUT:.0f} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").replace(str(folder), ".")
        if _GIT_REFUSED.search(said):
            raise NodeError("a package is installed from git")
        raise NodeError(f"{tool} failed: {_select_line(said) or f'exit code {done.returncode}'}")


def _select_line(said: str) -> str:
    """Select the line that explains a tool's failure, without passwords in URLs."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines
    line = next((line for line in errors if not _UNSAID.fullmatch(line)), "")
    return _PASSWORD.sub("//", line.removeprefix("npm error "))[:_WIDEST]
