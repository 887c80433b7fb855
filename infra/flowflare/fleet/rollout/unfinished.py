"""Remembers a rollout from its begin to its end, so that the next run goes on with it.

One small object for each environment and selection in the state backend,
`.flowflare/rollouts/<project>/<environment>/<selection>.json`: machines with a shard each have one
of their own. It is gone when everybody is as they should be.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from flowflare.reading.json_text import parse_json

if TYPE_CHECKING:
    from flowflare.fleet.tenants.selection import Selection
    from flowflare.state.backends.store import Store

_FOLDER: Final = ".flowflare/rollouts"


class Unfinished:
    """The rollout of one environment and selection that has not come to its end, if there is one.

    Args:
        store: the state backend.
        project: the Pulumi project's name.
        environment: the environment's name.
        selection: which tenants it is for.
        now: the time.
    """

    def __init__(
        self,
        store: "Store",
        project: str,
        environment: str,
        selection: "Selection",
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._key = f"{_FOLDER}/{project}/{environment}/{_name(selection)}.json"
        self._now = now
        # What is there; None where nobody has looked.
        self._there: str | None = None

    def rollout(self) -> str:
        """The id of the unfinished rollout, or a new one, which counts as begun with `begin`.

        Raises:
            StateError: the backend cannot be read.
        """
        self._there, stored = "", self._store.get(self._key)
        if stored is not None:
            # Half a name leads nowhere: as if there were none.
            with contextlib.suppress(ValueError, LookupError, TypeError):
                self._there = str(parse_json(stored.data)["rollout"])
        if self._there:
            return self._there
        return f"{self._now():%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}"

    def begin(self, rollout: str) -> None:
        """Notes that a rollout has begun.

        Raises:
            StateError: the backend cannot be written.
        """
        if self._there != rollout:
            self._store.put(self._key, json.dumps({"rollout": rollout}).encode())
            self._there = rollout

    def end(self) -> None:
        """Notes that it has come to its end.

        Raises:
            StateError: the backend cannot be written.
        """
        if self._there != "":
            self._store.delete(self._key)
            self._there = ""


def _name(selection: "Selection") -> str:
    if selection.tenants or selection.tags:
        chosen = [sorted(selection.tenants), sorted(selection.tags), selection.shard]
        return f"some-{hashlib.sha256(json.dumps(chosen).encode()).hexdigest()[:12]}"
    return f"shard-{selection.shard[0]}-of-{selection.shard[1]}" if selection.shard else "all"
