"""Makes secrets: a stack's API keys, and random values for clients.

An API key is `ff_<environment>_<key id>_<43 characters>`, with 256 bits of randomness. It says
which environment it opens and which key it is, so that a leaked one is recognised and a log can
name the key without holding it.
"""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from flowflare.redaction.known import learn

#: Makes that many random bytes.
RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True)
class ApiKey:
    """An API key and the part of it that may be shown.

    Attributes:
        key_id: eight hexadecimal digits, no secret.
        text: the whole key, a secret.
    """

    key_id: str
    text: str

    def __repr__(self) -> str:
        return f"ApiKey(key_id={self.key_id!r}, text=[secret])"


def generate_api_key(
    environment_name: str, *, random_bytes: RandomBytes = secrets.token_bytes
) -> ApiKey:
    """Makes a new key for an environment.

    Args:
        environment_name: the environment, lower-case letters and digits.
        random_bytes: the source of randomness.
    """
    key_id = random_bytes(4).hex()
    text = f"ff_{environment_name}_{key_id}_{_base64url(random_bytes(32))}"
    learn(text)
    return ApiKey(key_id, text)


def generate_secret(size: int, *, random_bytes: RandomBytes | None = None) -> str:
    """Makes a random value: that many bytes in base64url.

    Args:
        size: how many random bytes.
        random_bytes: the source of randomness, the operating system's if not given.
    """
    return _base64url((random_bytes or secrets.token_bytes)(size))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
