"""Fingerprint secret values: equal for equal values, and useless without the stack's key.

A plain hash of a weak secret is as good as the secret: anyone who reads a plan or a state can try
all passwords. So a fingerprint is an HMAC with a random key that only the encrypted state holds.
"""

import hashlib
import hmac
from typing import Final

_LENGTH = 16
#: The variable with a key for digests that leave this machine, and its least length.
KEY_VARIABLE: Final = "FLOWFLARE_FINGERPRINT_KEY"
LEAST_KEY: Final = 16
#: The stand-in for every secret if secrets are not decrypted (`review/sealed.py`).
SEALED = "sealed-5d0a3c64d1b94b7e8a8f1f0c6c0b9e2d"


def fingerprint(key: str, name: str, value: str) -> str:
    """Compute the fingerprint of a value: 16 hexadecimal digits.

    Args:
        key: the key, which is a secret too.
        name: the secret's name, so that equal values of two secrets have different fingerprints.
    """
    data = f"{name}\0{value}".encode()
    return hmac.new(key.encode(), data, hashlib.sha256).hexdigest()[:_LENGTH]
