"""Digest the tools that run a program: this package, Pulumi's SDK and Cloudflare's provider."""

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from flowflare import library
from flowflare.reading.files import read_bytes

#: Folders of the package that do not affect the result of a stack's program.
_APART: Final = frozenset(
    {"adoption", "cli", "emulator", "fleet", "review", "rollout", "storage", "_data"}
)
_PACKAGES: Final = ("flowflare", "pulumi", "pulumi-cloudflare")
_KINDS: Final = ("*.py", "*.mjs")


@cache
def tool_digest() -> str:
    """Return the digest of the installed packages; it is the same for a release everywhere."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return digest_of(Path(library.__file__).parent, versions)


def digest_of(package: Path, versions: Mapping[str, str]) -> str:
    """Return the digest of a release.

    Args:
        package: this package's folder. Its files count, because a checkout can change while its
            version stays the same.
        versions: the versions of the packages that affect a program.
    """
    files = {
        name: digest
        for kind in _KINDS
        for name, digest in digest_files(package, kind, deep=True).items()
        if name.partition("/")[0] not in _APART
    }
    return hashlib.sha256(json.dumps([versions, files], sort_keys=True).encode()).hexdigest()


def digest_files(folder: Path, pattern: str, *, deep: bool = False) -> dict[str, str]:
    """Digest a folder's files by name, except hidden files.

    Args:
        folder: the folder; a missing folder has no files.
        pattern: a glob pattern for the files' names.
        deep: whether to include subfolders.
    """
    found = sorted(folder.rglob(pattern) if deep else folder.glob(pattern))
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(read_bytes(path)).hexdigest()
        for path in found
        if path.is_file() and not path.name.startswith(".")
    }
