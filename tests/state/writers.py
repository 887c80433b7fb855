"""Writers that count together in one object, with conditional writes."""

import threading

from flowflare.errors import ConflictError
from flowflare.state.backends.store import Store


def count_together(store: Store, writers: int, rounds: int) -> int:
    """Lets several threads count; what they have counted to."""
    store.put("count", b"0")

    def count() -> None:
        done = 0
        while done < rounds:
            stored = store.get("count")
            assert stored is not None
            try:
                store.put("count", str(int(stored.data) + 1).encode(), only_if=stored.tag)
            except ConflictError:
                continue
            done += 1

    threads = [threading.Thread(target=count) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = store.get("count")
    assert stored is not None
    return int(stored.data)
