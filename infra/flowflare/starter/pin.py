"""Pin Flowflare and its packages by their hashes, for the requirements of a new project.

The name `flowflare` is free on PyPI, so a project installs a wheel: a file of its repository,
or a URL. pip records where an installed package came from in its `direct_url.json` (PEP 610).
"""

import hashlib
import importlib.metadata
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from flowflare import library
from flowflare.errors import FlowflareError
from flowflare.reading.files import read_bytes, read_text
from flowflare.reading.json_text import JsonError, parse_json

#: The folder of a project that has the wheel.
VENDOR: Final = "vendor"
_LOCK_IN_WHEEL: Final = "flowflare/_data/requirements.lock"
_NAME: Final = re.compile(r"flowflare-(?P<version>[\w.!+]+)-py3-none-any\.whl")
_HASH: Final = re.compile(r"sha256=([0-9a-f]{64})")
_REMEDY: Final = (
    "Name a wheel that `make wheel` built, or a URL with its hash: "
    "https://example.com/flowflare-0.1.0-py3-none-any.whl#sha256=..."
)


@dataclass(frozen=True)
class PinnedWheel:
    """A wheel of Flowflare.

    Attributes:
        sha256: its digest.
        url: its address; None for a file.
        content: the file's content; None for a URL.
        lock: the packages that it needs, each with its hashes.
    """

    name: str
    sha256: str
    url: str | None
    content: bytes | None
    lock: str

    def write_requirements(self) -> str:
        """Write a requirements file that pip installs with `--require-hashes`."""
        source = f"flowflare @ {self.url}" if self.url else f"./{VENDOR}/{self.name}"
        return (
            "# Flowflare and the packages that it needs, pinned by their hashes. Install them:\n"
            "#   .venv/bin/pip install --require-hashes --requirement requirements.txt\n"
            f"{source} \\\n    --hash=sha256:{self.sha256}\n{self.lock}"
        )


def find_installed_wheel() -> PinnedWheel | None:
    """Find the wheel from which the running Flowflare was installed.

    Returns:
        the wheel; None if it was installed from a checkout or by name, or if its file has changed.
    """
    try:
        text = importlib.metadata.distribution("flowflare").read_text("direct_url.json")
        return find_recorded_wheel(parse_json(text or "{}"))
    except (importlib.metadata.PackageNotFoundError, JsonError):
        return None


def find_recorded_wheel(origin: Any) -> PinnedWheel | None:
    """Find the wheel that a `direct_url.json` names, if it still has the recorded hash."""
    url, archive = origin.get("url", ""), origin.get("archive_info")
    if archive is None:
        return None
    recorded = (archive.get("hashes") or {}).get("sha256")
    place = urlsplit(url)
    try:
        is_file = place.scheme == "file"
        wheel = read_wheel(unquote(place.path) if is_file else f"{url}#sha256={recorded}")
    except (FlowflareError, OSError):
        return None
    return wheel if recorded in (None, wheel.sha256) else None


def read_wheel(place: str) -> PinnedWheel:
    """Read a wheel that a user names.

    Args:
        place: a path, or an https URL with `#sha256=<digest>`.

    Raises:
        FlowflareError: it is not a wheel of Flowflare, or a URL without its hash or of another
            version.
    """
    if "://" in place:
        return _read_url(place)
    try:
        content = read_bytes(Path(place))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            lock = archive.read(_LOCK_IN_WHEEL).decode()
    except OSError as error:
        raise FlowflareError(f"{place}: {error.strerror}", remedy=_REMEDY) from None
    except (zipfile.BadZipFile, KeyError):
        raise FlowflareError(f"{place} is not a wheel of Flowflare", remedy=_REMEDY) from None
    _find_version(Path(place).name)
    digest = hashlib.sha256(content).hexdigest()
    return PinnedWheel(Path(place).name, digest, None, content, lock)


def _read_url(url: str) -> PinnedWheel:
    parts = urlsplit(url)
    digest = _HASH.fullmatch(parts.fragment)
    if parts.scheme != "https" or digest is None:
        raise FlowflareError(
            f"{parts.scheme}://{parts.hostname}{parts.path} is not an https URL with a SHA-256",
            remedy=_REMEDY,
        )
    if parts.username or parts.password or parts.query:
        raise FlowflareError(
            f"the URL of {Path(parts.path).name} contains credentials or a query, which would be "
            "written into requirements.txt",
            remedy=_REMEDY,
        )
    name = unquote(Path(parts.path).name)
    version, own = _find_version(name), importlib.metadata.version("flowflare")
    if version != own:
        raise FlowflareError(
            f"{name} is version {version}, but this is Flowflare {own}",
            remedy="Install that version, and run its `flowflare init`.",
        )
    lock = read_text(library.requirements_lock())
    return PinnedWheel(name, digest[1], url.partition("#")[0], None, lock)


def _find_version(name: str) -> str:
    match = _NAME.fullmatch(name)
    if match is None:
        raise FlowflareError(f"{name} is not the name of a wheel of Flowflare", remedy=_REMEDY)
    return match["version"]
