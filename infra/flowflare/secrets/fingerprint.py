"""Fingerprints of secret values: equal for equal values, and worth nothing without the stack's key.

A plain hash of a weak secret is as good as the secret: whoever reads a plan or a state tries all
passwords. So it is an HMAC under a random key that only the state holds, encrypted.
"""

import hashlib
import hmac

_LENGTH = 16
#: Stands for every secret where none is opened (`review/sealed.py`).
SEALED = "sealed-5d0a3c64d1b94b7e8a8f1f0c6c0b9e2d"


def fingerprint(key: str, name: str, value: str) -> str:
    """The fingerprint of a value, 16 hexadecimal digits.

    Args:
        key: the key, a secret itself.
        name: the secret's name; equal values of two secrets do not look equal.
        value: the value.
    """
    data = f"{name}\0{value}".encode()
    return hmac.new(key.encode(), data, hashlib.sha256).hexdigest()[:_LENGTH]
