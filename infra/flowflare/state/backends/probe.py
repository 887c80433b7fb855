"""Tries whether a store keeps what the leases stand on: writes on a condition."""

import contextlib
import uuid

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends.store import ABSENT, Store


def unmet_conditions(store: Store) -> list[str]:
    """What a store does although its condition does not hold; writes one object, and removes it.

    Args:
        store: the store.

    Returns:
        A word for each condition that it does not keep, none where all is well.

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
