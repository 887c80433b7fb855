"""Create and read the API token of a data folder.

The token is random, is created once, and only its owner can read it. Cloudflare's own clients check
a token's form before they send it. The Terraform and Pulumi providers require 40 letters, digits,
hyphens and underscores, and a Global API Key has at least 37 hexadecimal digits. 40 hexadecimal
digits satisfy both.
"""

import os
import secrets
from pathlib import Path

_NAME = "token"
_BYTES = 20
_MIN_LENGTH = 40


def token_file(data: Path) -> Path:
    """Return the path of a data folder's token file."""
    return data / _NAME


def read_token(data: Path) -> str | None:
    """Return the token of a data folder, or None if no emulator has created one yet."""
    try:
        token = token_file(data).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return token if len(token) >= _MIN_LENGTH else None


def ensure_token(data: Path) -> str:
    """Return the token of a data folder, and create it with mode 0600 if it does not exist.

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
    """Give a new or existing data folder mode 0700, so that only its owner can use it.

    Raises:
        OSError: another user owns the folder.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if data.stat().st_mode & 0o077:
        data.chmod(0o700)
