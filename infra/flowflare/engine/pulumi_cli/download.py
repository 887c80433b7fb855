"""Download the pinned Pulumi CLI, and unpack it only if it matches its release's checksum.

A release of Pulumi has, beside its archives, `pulumi-<version>-checksums.txt`: a line for each
archive, with SHA-256 and name. Both come over TLS from the same place: this detects a broken or
replaced archive, but not a release that was replaced as a whole.
"""

import hashlib
import io
import platform
import shutil
import sys
import tarfile
from pathlib import Path, PurePosixPath
from typing import Final

from flowflare.engine.pulumi_cli.versions import PULUMI_VERSION
from flowflare.errors import EngineError

RELEASE: Final = f"https://github.com/pulumi/pulumi/releases/download/v{PULUMI_VERSION}"
_CHECKSUMS: Final = f"pulumi-{PULUMI_VERSION}-checksums.txt"
_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def archive_name(system: str = sys.platform, machine: str | None = None) -> str:
    """Return the name of the release's archive for a machine.

    Args:
        system: `linux` or `darwin`, as in `sys.platform`.
        machine: its processor as in `platform.machine()`; None for this machine's.

    Raises:
        EngineError: there is no archive for it that this module can unpack.
    """
    found = _MACHINES.get((machine or platform.machine()).lower())
    if system not in ("linux", "darwin") or found is None:
        raise EngineError(f"there is no archive for {system} on {machine or platform.machine()}")
    return f"pulumi-v{PULUMI_VERSION}-{system}-{found}.tar.gz"


def download(folder: Path, release: str = RELEASE) -> None:
    """Put the programs of the release into a folder.

    Args:
        folder: the folder, which is created if it is missing.
        release: the address of the release's files.

    Raises:
        EngineError: the release cannot be reached, or the archive does not match its checksum.
    """
    name = archive_name()
    wanted = _checksum(_get(f"{release}/{_CHECKSUMS}").decode("utf-8", "replace"), name)
    data = _get(f"{release}/{name}")
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise EngineError(f"{name} has the SHA-256 {found}, but {_CHECKSUMS} lists {wanted}")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _unpack(data, folder)
    except (tarfile.TarError, EOFError) as error:
        raise EngineError(f"{name} cannot be unpacked: {error}") from None


def _checksum(listed: str, name: str) -> str:
    lines = (line.split() for line in listed.splitlines())
    found = next((line[0] for line in lines if len(line) == 2 and line[1].lstrip("*") == name), "")
    if len(found) != hashlib.sha256().digest_size * 2:
        raise EngineError(f"{_CHECKSUMS} has no SHA-256 of {name}")
    return found.lower()


def _get(url: str) -> bytes:
    import httpx

    try:
        return httpx.get(url, follow_redirects=True, timeout=60).raise_for_status().content
    except httpx.HTTPError as error:
        raise EngineError(f"{url}: {error}") from None


def _unpack(data: bytes, folder: Path) -> None:
    """Write the archive's programs into the folder; the paths in the archive are ignored."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            # A running program must not be overwritten: the new file replaces it in one step.
            target = folder / PurePosixPath(member.name).name
            fresh = target.with_name(f".{target.name}.new")
            with fresh.open("wb") as file:
                shutil.copyfileobj(content, file)
            fresh.chmod(0o755)
            fresh.replace(target)
