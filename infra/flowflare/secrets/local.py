"""Secrets out of the environment and out of files."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from flowflare.errors import SecretError
from flowflare.model.secret_sources import EnvironmentSource, FileSource
from flowflare.reading.files import UnusableFileError, read_bytes


def read_variable(source: EnvironmentSource, environ: Mapping[str, str]) -> bytes:
    """The bytes of an environment variable.

    Raises:
        SecretError: it is not set.
    """
    value = environ.get(source.variable)
    if value is None:
        raise SecretError(
            f"{source} is not set",
            remedy=f"Set {source.variable} where this runs; a CI job gets it from its secrets.",
        )
    return os.fsencode(value)


def read_file(source: FileSource, root: Path) -> bytes:
    """The bytes of a file without one line break at its end.

    Args:
        source: which file.
        root: what a relative path starts at.

    Raises:
        SecretError: it is not there or cannot be read.
    """
    path = located(source, root)
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        raise SecretError(
            f"{source} is not there",
            remedy=f"Put it at {path}, or name another file; a relative path starts at the "
            "project's folder.",
        ) from None
    except OSError as error:
        remedy = f"Whoever runs this must be able to read {path}."
        if isinstance(error, UnusableFileError):
            remedy = "Write the value to an ordinary file; the source may be read more than once."
        raise SecretError(f"{source} cannot be read: {error.strerror}", remedy=remedy) from None
    return data.removesuffix(b"\n").removesuffix(b"\r")


def open_to_others(source: FileSource, root: Path) -> str | None:
    """A warning when more than its owner can read the file; None when all is well or it is gone."""
    path = located(source, root)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    if not mode & 0o077:
        return None
    return f"{source} can be read by others than its owner ({mode:04o}). Run: chmod 600 {path}"


def located(source: FileSource, root: Path) -> Path:
    """Where the file lies."""
    return root / Path(source.path).expanduser()
