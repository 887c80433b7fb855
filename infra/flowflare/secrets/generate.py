"""Generate secrets: a stack's API keys, and random values for clients.

An API key is `ff_<environment>_<key id>_<43 characters>`, with 256 bits of randomness. It
names its environment and its ID, so that a leaked key can be identified and a log can name a key
without containing it.
"""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass

#: Returns a number of random bytes.
RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True)
class ApiKey:
    """An API key and the part of it that may be shown.

    Attributes:
        key_id: eight hexadecimal digits; not a secret.
        text: the whole key, a secret.
    """

    key_id: str
    text: str

    def __repr__(self) -> str:
        return f"ApiKey(key_id={self.key_id!r}, text=[secret])"


def generate_api_key(
    environment_name: str, *, random_bytes: RandomBytes = secrets.token_bytes
) -> ApiKey:
    """Generate a key for an environment.

    Args:
        environment_name: the environment's name, lower-case letters and digits.
        random_bytes: the source of randomness.
    """
    key_id = random_bytes(4).hex()
    return ApiKey(key_id, f"ff_{environment_name}_{key_id}_{_encode_base64url(random_bytes(32))}")


def generate_secret(size: int, *, random_bytes: RandomBytes | None = None) -> str:
    """Generate a random value in base64url.

    Args:
        size: the number of random bytes.
        random_bytes: the source of randomness, by default the operating system's.
    """
    return _encode_base64url((random_bytes or secrets.token_bytes)(size))


def _encode_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
