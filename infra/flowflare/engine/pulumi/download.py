"""Downloads the pinned Pulumi CLI and unpacks it only if it is what its release says it is.

A release of Pulumi has, beside its archives, `pulumi-<version>-checksums.txt`: a line for each of
them, SHA-256 and name. Both come over TLS from the same place: a broken or exchanged archive is
noticed, a release that was itself exchanged is not.
"""

import hashlib
import io
import platform
import shutil
import sys
import tarfile
from pathlib import Path, PurePosixPath
from typing import Final

from flowflare.engine.pulumi.versions import PULUMI_VERSION
from flowflare.errors import EngineError

RELEASE: Final = f"https://github.com/pulumi/pulumi/releases/download/v{PULUMI_VERSION}"
_CHECKSUMS: Final = f"pulumi-{PULUMI_VERSION}-checksums.txt"
_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def archive_name(system: str = sys.platform, machine: str | None = None) -> str:
    """The release's archive for a machine.

    Args:
        system: `linux` or `darwin`, as `sys.platform` has it.
        machine: its processor as `platform.machine()` has it; None for this one's.

    Raises:
        EngineError: there is none that this can unpack.
    """
    found = _MACHINES.get((machine or platform.machine()).lower())
    if system not in ("linux", "darwin") or found is None:
        raise EngineError(f"there is no archive for {system} on {machine or platform.machine()}")
    return f"pulumi-v{PULUMI_VERSION}-{system}-{found}.tar.gz"


def download(folder: Path, release: str = RELEASE) -> None:
    """Puts the programs of the release into a folder.

    Args:
        folder: where they go; made if missing.
        release: the address of the release's files.

    Raises:
        EngineError: it cannot be reached, or the archive is not the one of its checksum.
    """
    name = archive_name()
    wanted = _checksum(_get(f"{release}/{_CHECKSUMS}").decode("utf-8", "replace"), name)
    data = _get(f"{release}/{name}")
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise EngineError(f"{name} has the SHA-256 {found}, and {_CHECKSUMS} says {wanted}")
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
    """Writes the archive's programs; none of their paths is followed."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            # A program that runs must not change while it does: it is put in its place whole.
            target = folder / PurePosixPath(member.name).name
            fresh = target.with_name(f".{target.name}.new")
            with fresh.open("wb") as file:
                shutil.copyfileobj(content, file)
            fresh.chmod(0o755)
            fresh.replace(target)
