"""Read secrets from environment variables and files."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from flowflare.errors import SecretError
from flowflare.model.secret_sources import EnvironmentSource, FileSource
from flowflare.reading.files import UnusableFileError, read_bytes


def read_variable(source: EnvironmentSource, environ: Mapping[str, str]) -> bytes:
    """Read the bytes of an environment variable.

    Raises:
        SecretError: it is not set.
    """
    value = environ.get(source.variable)
    if value is None:
        raise SecretError(
            f"{source} is not set",
            remedy=f"Set {source.variable} in the environment of this command. In CI, set it from "
            "the job's secrets.",
        )
    return os.fsencode(value)


def read_file(source: FileSource, root: Path) -> bytes:
    """Read the bytes of a file, without one line break at its end.

    Args:
        root: the folder that a relative path starts at.

    Raises:
        SecretError: the file does not exist or cannot be read.
    """
    path = locate(source, root)
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        raise SecretError(
            f"{source} does not exist",
            remedy=f"Create {path}, or name another file. Relative paths start at the "
            "project's folder.",
        ) from None
    except OSError as error:
        remedy = f"Allow the user who runs this command to read {path}."
        if isinstance(error, UnusableFileError):
            remedy = "Write the value to a regular file, because it may be read more than once."
        raise SecretError(f"{source} cannot be read: {error.strerror}", remedy=remedy) from None
    return data.removesuffix(b"\n").removesuffix(b"\r")


def warn_of_permissions(source: FileSource, root: Path) -> str | None:
    """Return a warning if other users can read the file; None if not, or if it does not exist."""
    path = locate(source, root)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    if not mode & 0o077:
        return None
    return f"{source} can be read by other users ({mode:04o}). Run: chmod 600 {path}"


def locate(source: FileSource, root: Path) -> Path:
    """Return the file's path."""
    return root / Path(source.path).expanduser()
