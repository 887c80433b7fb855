"""Test whether a store supports conditional writes, which leases need."""

import contextlib
import uuid

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends.store import ABSENT, Store


def find_unsupported_conditions(store: Store) -> list[str]:
    """Find the conditions that a store ignores. Writes one object, and removes it.

    Returns:
        The header of each condition that the store ignores.

    Raises:
        StateError: the store cannot be reached, or refuses.
    """
    key = f".flowflare/probe/{uuid.uuid4()}.json"
    try:
        first = store.put(key, b"1", only_if=ABSENT)
        unmet = [] if _refuses(store, key, ABSENT) else ["If-None-Match"]
        second = store.put(key, b"2")
        unmet += [] if _refuses(store, key, first) else ["If-Match"]
        if not unmet:
            store.put(key, b"3", only_if=second)
    finally:
        with contextlib.suppress(StateError):
            store.delete(key)
    return unmet


def _refuses(store: Store, key: str, only_if: str) -> bool:
    try:
        store.put(key, b"0", only_if=only_if)
    except ConflictError:
        return True
    return False
