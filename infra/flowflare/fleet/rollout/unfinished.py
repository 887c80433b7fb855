"""Store the ID of a rollout from its beginning to its end, so that the next run resumes it.

The state backend has a small object for each environment and selection,
`.flowflare/rollouts/<project>/<environment>/<selection>.json`, so machines with different shards
have different objects. The object is deleted when all tenants have succeeded.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from flowflare.fleet.tenants.selection import Selection
from flowflare.reading.json_text import parse_json
from flowflare.state.backends.store import Store

_FOLDER: Final = ".flowflare/rollouts"


class UnfinishedRollout:
    """The unfinished rollout of one environment and selection, if there is one."""

    def __init__(
        self,
        store: Store,
        project: str,
        environment: str,
        selection: Selection,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._key = f"{_FOLDER}/{project}/{environment}/{_name(selection)}.json"
        self._now = now
        # The stored ID, empty if there is none; None before the first read.
        self._stored: str | None = None

    def read_or_create_id(self) -> str:
        """Read the ID of the unfinished rollout, or make a new ID, which `begin` stores.

        Raises:
            StateError: the backend cannot be read.
        """
        self._stored, stored = "", self._store.get(self._key)
        if stored is not None:
            # A damaged object counts as missing.
            with contextlib.suppress(ValueError, LookupError, TypeError):
                self._stored = str(parse_json(stored.data)["rollout"])
        if self._stored:
            return self._stored
        return f"{self._now():%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}"

    def begin(self, rollout: str) -> None:
        """Store that a rollout has begun.

        Raises:
            StateError: the backend cannot be written.
        """
        if self._stored != rollout:
            self._store.put(self._key, json.dumps({"rollout": rollout}).encode())
            self._stored = rollout

    def end(self) -> None:
        """Delete the rollout's object, because the rollout has ended.

        Raises:
            StateError: the backend cannot be written.
        """
        if self._stored != "":
            self._store.delete(self._key)
            self._stored = ""


def _name(selection: Selection) -> str:
    if selection.tenants or selection.tags:
        chosen = [sorted(selection.tenants), sorted(selection.tags), selection.shard]
        return f"some-{hashlib.sha256(json.dumps(chosen).encode()).hexdigest()[:12]}"
    return f"shard-{selection.shard[0]}-of-{selection.shard[1]}" if selection.shard else "all"
