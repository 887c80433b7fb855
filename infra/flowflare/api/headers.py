"""Check a secret before it is sent in an HTTP header.

h11 and httpx refuse a header with a line break or a character outside ASCII, and their error
quotes the header with the whole secret.
"""

import re
from typing import Final

from flowflare.errors import SecretError

_SENDABLE: Final = re.compile(r"[\x21-\x7e]*")


def is_sendable(secret: str) -> bool:
    """Whether a header can contain the secret."""
    return _SENDABLE.fullmatch(secret) is not None


def check_secret(secret: str, what: str) -> str:
    """Return the secret unchanged if a header can contain it.

    Args:
        secret: a token or a key.
        what: the secret's name in messages.

    Raises:
        SecretError: it has a character that a header cannot contain; the message does not quote it.
    """
    if not is_sendable(secret):
        raise SecretError(
            f"{what} cannot be sent: it has a space, a line break or a character outside ASCII",
            remedy="Set it again without a line break at the end; `printf %s` does not add one.",
        )
    return secret
