"""The API token of a data folder: random, made once, readable by its owner alone.

Cloudflare's own clients check the form before they send one: the Terraform and Pulumi providers
want 40 letters, digits, hyphens and underscores, and a Global API Key is 37 hexadecimal digits or
more. 40 hexadecimal digits serve both.
"""

import os
import secrets
from pathlib import Path

_NAME = "token"
_BYTES = 20
_SHORTEST = 40


def token_file(data: Path) -> Path:
    """Return where the token of a data folder is stored."""
    return data / _NAME


def read_token(data: Path) -> str | None:
    """Return the token of a data folder, None where no emulator has made one yet."""
    try:
        token = token_file(data).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return token if len(token) >= _SHORTEST else None


def ensure_token(data: Path) -> str:
    """Return the token of a data folder, made if there is none; its file gets mode 0600.

    Raises:
        OSError: the file cannot be read or written.
    """
    path = token_file(data)
    token = read_token(data)
    if token is None:
        token = secrets.token_hex(_BYTES)
        draft = path.with_name(f"{_NAME}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{token}\n")
        draft.replace(path)
    path.chmod(0o600)
    return token


def make_private(data: Path) -> None:
    """Make a data folder its owner's alone: mode 0700, also where it was made earlier.

    Raises:
        OSError: the folder is another user's.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if data.stat().st_mode & 0o077:
        data.chmod(0o700)
