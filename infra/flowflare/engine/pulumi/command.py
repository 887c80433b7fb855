"""Finds the Pulumi CLI, sees that its version is one that may be driven, and installs it."""

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
from flowflare.engine.pulumi.versions import PULUMI_VERSION, REQUIRED_PULUMI, supported
from flowflare.errors import EngineError
from flowflare.reading.files import read_text
from flowflare.reading.json_text import parse_json

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
#: GitHub limits downloads of plugins that name no token.
_PLUGIN_NAMES: Final = frozenset({"GITHUB_TOKEN"})
#: Passphrases and opened configuration: PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG.
_OPENING: Final = "PULUMI_CONFIG"
OFFICIAL_INSTALL: Final = f"curl -fsSL https://get.pulumi.com | sh -s -- --version {PULUMI_VERSION}"


@dataclass(frozen=True)
class Cli:
    """A Pulumi CLI on this machine.

    Attributes:
        path: the program.
        version: its version; None for one that was built from source and does not know.
    """

    path: Path
    version: tuple[int, ...] | None

    @property
    def shown(self) -> str:
        """The version in words."""
        return ".".join(map(str, self.version)) if self.version else "of unknown version"


def find_cli(environ: Mapping[str, str]) -> Cli | None:
    """The CLI: the one on PATH, else the pinned one, else the official installer's.

    Args:
        environ: the environment; PATH and HOME are looked at.
    """
    for path in _candidates(environ):
        if path.is_file() and os.access(path, os.X_OK):
            return Cli(path, _version_of(path, environ))
    return None


def require_cli(environ: Mapping[str, str], what: str) -> Cli:
    """The CLI, of a version that may be driven.

    Args:
        environ: the environment.
        what: what needs it, for the message: `stack prod`.

    Raises:
        EngineError: there is none, or its version is out of range.
    """
    cli = find_cli(environ)
    if cli is None:
        raise EngineError(
            f"{what} is the Pulumi CLI's, and the pulumi command is not installed",
            remedy=f"Install version {PULUMI_VERSION}: flowflare doctor --install, or "
            f"{OFFICIAL_INSTALL}",
        )
    if cli.version is not None and not supported(cli.version):
        raise EngineError(
            f"{what} needs a Pulumi CLI {REQUIRED_PULUMI}, and {cli.path} is {cli.shown}",
            remedy=f"Install version {PULUMI_VERSION}: flowflare doctor --install, or "
            f"{OFFICIAL_INSTALL}",
        )
    return cli


def install_folder(environ: Mapping[str, str]) -> Path:
    """Where `install` puts the pinned CLI: the folder the Automation API uses too."""
    home = environ.get("HOME") or str(Path.home())
    return Path(home) / ".pulumi" / "versions" / PULUMI_VERSION


def install(environ: Mapping[str, str]) -> Cli:
    """Installs the pinned CLI from its release, beside any other version.

    Raises:
        EngineError: it cannot be downloaded, or is not what the release's checksums say.
    """
    from flowflare.engine.pulumi.download import download

    folder = install_folder(environ)
    try:
        download(folder / "bin")
    except EngineError as error:
        raise _not_installed(error.message) from None
    program = folder / "bin" / "pulumi"
    if not program.is_file():
        raise _not_installed("the release has no program `pulumi`")
    return Cli(program, _version_of(program, environ))


def _not_installed(reason: str) -> EngineError:
    return EngineError(
        f"Pulumi {PULUMI_VERSION} could not be installed: {reason}",
        remedy="It comes from github.com/pulumi/pulumi/releases. Where that cannot be reached, "
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
    """Select what the CLI needs for commands that run no program and open no state.

    Args:
        environ: the environment to select from.
    """
    selected = child_environment(
        environ, names=_PLUGIN_NAMES, prefixes=("PULUMI_", "PYTHON"), network=True
    )
    without = {name: value for name, value in selected.items() if not name.startswith(_OPENING)}
    return {**without, "PULUMI_SKIP_UPDATE_CHECK": "true"}


def _version_of(path: Path, environ: Mapping[str, str]) -> tuple[int, ...] | None:
    """Ask a CLI for its version, once for each program: that is a twentieth of a preview."""
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
    """Keep what was asked; a cache that cannot be written is none."""
    newest = dict(list(known.items())[-8:])
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        fresh.write_text(json.dumps(newest), "utf-8")
        fresh.replace(file)
