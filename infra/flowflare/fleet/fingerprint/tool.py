"""The digest of what runs a program: this package, Pulumi's SDK and Cloudflare's provider."""

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from flowflare import library
from flowflare.reading.files import read_bytes

#: Folders of the package on which no stack depends.
_APART: Final = frozenset(
    {"adoption", "cli", "emulator", "fleet", "review", "rollout", "storage", "_data"}
)
_PACKAGES: Final = ("flowflare", "pulumi", "pulumi-cloudflare")
_KINDS: Final = ("*.py", "*.mjs")


@cache
def tool_digest() -> str:
    """The digest of what is installed here, the same for the same release anywhere."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return digest_of(Path(library.__file__).parent, versions)


def digest_of(package: Path, versions: Mapping[str, str]) -> str:
    """The digest of a release.

    Args:
        package: this package's folder; a checkout changes without its version.
        versions: the versions of what counts.
    """
    files = {
        name: digest
        for kind in _KINDS
        for name, digest in files_in(package, kind, deep=True).items()
        if name.partition("/")[0] not in _APART
    }
    return hashlib.sha256(json.dumps([versions, files], sort_keys=True).encode()).hexdigest()


def files_in(folder: Path, pattern: str, *, deep: bool = False) -> dict[str, str]:
    """Digests of a folder's files by their names; hidden ones are left out.

    Args:
        folder: the folder; one that is not there has no files.
        pattern: what the files are called.
        deep: whether folders in it are looked through, too.
    """
    found = sorted(folder.rglob(pattern) if deep else folder.glob(pattern))
    return {
        one.relative_to(folder).as_posix(): hashlib.sha256(read_bytes(one)).hexdigest()
        for one in found
        if one.is_file() and not one.name.startswith(".")
    }
