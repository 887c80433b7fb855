"""Find the Pulumi CLI, check that its version is supported, and install it."""

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowflare.child_environment import child_environment
from flowflare.engine.pulumi_cli.versions import PULUMI_VERSION, REQUIRED_PULUMI, is_supported
from flowflare.errors import EngineError
from flowflare.reading.files import read_text
from flowflare.reading.json_text import parse_json

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
#: GitHub limits downloads of plugins without a token.
_PLUGIN_NAMES: Final = frozenset({"GITHUB_TOKEN"})
#: The prefix of passphrases and opened configuration: PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG.
_OPENING: Final = "PULUMI_CONFIG"
OFFICIAL_INSTALL: Final = f"curl -fsSL https://get.pulumi.com | sh -s -- --version {PULUMI_VERSION}"


@dataclass(frozen=True)
class Cli:
    """A Pulumi CLI on this machine.

    Attributes:
        version: its version; None for a CLI that was built from source and does not know it.
    """

    path: Path
    version: tuple[int, ...] | None

    @property
    def version_text(self) -> str:
        """The version as text."""
        return ".".join(map(str, self.version)) if self.version else "of unknown version"


def find_cli(environ: Mapping[str, str]) -> Cli | None:
    """Find the CLI: on PATH, else the pinned one, else that of the official installer.

    Args:
        environ: the environment, for PATH and HOME.
    """
    for path in _candidates(environ):
        if path.is_file() and os.access(path, os.X_OK):
            return Cli(path, _version_of(path, environ))
    return None


def require_cli(environ: Mapping[str, str], what: str) -> Cli:
    """Find a CLI of a supported version.

    Args:
        what: what needs it, for the message: `stack prod`.

    Raises:
        EngineError: the CLI is not installed, or its version is out of range.
    """
    cli = find_cli(environ)
    if cli is None:
        raise EngineError(
            f"{what} runs on the Pulumi CLI, which is not installed",
            remedy=f"Install version {PULUMI_VERSION}: flowflare doctor --install, or "
            f"{OFFICIAL_INSTALL}",
        )
    if cli.version is not None and not is_supported(cli.version):
        raise EngineError(
            f"{what} needs a Pulumi CLI {REQUIRED_PULUMI}, but {cli.path} is {cli.version_text}",
            remedy=f"Install version {PULUMI_VERSION}: flowflare doctor --install, or "
            f"{OFFICIAL_INSTALL}",
        )
    return cli


def install_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the pinned CLI, which the Automation API uses too."""
    home = environ.get("HOME") or str(Path.home())
    return Path(home) / ".pulumi" / "versions" / PULUMI_VERSION


def install(environ: Mapping[str, str]) -> Cli:
    """Install the pinned CLI from its release, beside any other version.

    Raises:
        EngineError: it cannot be downloaded, or does not match the release's checksums.
    """
    from flowflare.engine.pulumi_cli.download import download

    folder = install_folder(environ)
    try:
        download(folder / "bin")
    except EngineError as error:
        raise _make_install_error(error.message) from None
    program = folder / "bin" / "pulumi"
    if not program.is_file():
        raise _make_install_error("the release has no program `pulumi`")
    return Cli(program, _version_of(program, environ))


def _make_install_error(reason: str) -> EngineError:
    return EngineError(
        f"Pulumi {PULUMI_VERSION} could not be installed: {reason}",
        remedy="It comes from github.com/pulumi/pulumi/releases. If it is not reachable, "
        f"copy the release archive pulumi-v{PULUMI_VERSION} from another machine and put its "
        "programs on PATH.",
    )


def _candidates(environ: Mapping[str, str]) -> list[Path]:
    found = shutil.which("pulumi", path=environ.get("PATH", ""))
    home = Path(environ.get("HOME") or Path.home()) / ".pulumi"
    return [
        *([Path(found)] if found else []),
        install_folder(environ) / "bin" / "pulumi",
        home / "bin" / "pulumi",
    ]


def cli_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Select the variables for commands of the CLI that run no program and open no state."""
    selected = child_environment(
        environ, names=_PLUGIN_NAMES, prefixes=("PULUMI_", "PYTHON"), network=True
    )
    without = {name: value for name, value in selected.items() if not name.startswith(_OPENING)}
    return {**without, "PULUMI_SKIP_UPDATE_CHECK": "true"}


def _version_of(path: Path, environ: Mapping[str, str]) -> tuple[int, ...] | None:
    """Ask a CLI for its version, once for each program: it takes a twentieth of a preview."""
    found = path.resolve().stat()
    key = f"{path.resolve()} {found.st_size} {found.st_mtime_ns}"
    file = _cache_folder(environ) / "pulumi-versions.json"
    known = _read_versions(file)
    if key not in known:
        done = subprocess.run(
            [str(path), "version"],
            env=cli_environment(environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        known[key] = done.stdout.strip()
        if done.returncode == 0:
            _write_versions(file, known)
    match = _VERSION.match(known[key])
    return tuple(int(part) for part in match.groups()) if match else None


def _cache_folder(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME") or str(Path.home())
    return Path(environ.get("XDG_CACHE_HOME") or f"{home}/.cache") / "flowflare"


def _read_versions(file: Path) -> dict[str, str]:
    try:
        known = parse_json(read_text(file))
    except (OSError, ValueError):
        return {}
    return {str(key): str(said) for key, said in known.items()} if isinstance(known, dict) else {}


def _write_versions(file: Path, known: Mapping[str, str]) -> None:
    """Store the versions; a cache that cannot be written is ignored."""
    newest = dict(list(known.items())[-8:])
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        fresh.write_text(json.dumps(newest), "utf-8")
        fresh.replace(file)
