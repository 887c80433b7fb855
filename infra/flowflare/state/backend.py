"""A stack's state in a store, in the layout of Pulumi's backends for folders and buckets.

Keys as in `pkg/backend/diy` of pulumi/pulumi: `.pulumi/meta.yaml`, `.pulumi/stacks/<p>/<s>.json`
with the previous version as `.bak`, `.pulumi/locks/organization/<p>/<s>/`. `pulumi login` with the
same URL finds the same stacks. The first bytes of a checkpoint show whether it is compressed. If
there are several, the newest counts, as in the CLI.
"""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from flowflare.errors import ConflictError, StateError
from flowflare.reading.files import decompress
from flowflare.reading.json_text import parse_json
from flowflare.state.backends.folder import FolderStore
from flowflare.state.backends.store import ABSENT, Store, StoredObject
from flowflare.state.checkpoint import (
    CheckpointWriter,
    Deployment,
    Sealer,
    read_checkpoint,
    read_salt,
)
from flowflare.state.checkpoint_shape import check_checkpoint, refuse_foreign
from flowflare.values.properties import Opener

_META_KEY: Final = ".pulumi/meta.yaml"
_META: Final = b"version: 1\n"
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ENDINGS: Final = ("", ".gz", ".zst")


def format_now() -> str:
    """Return the current time in the format of state: RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as it was read.

    Attributes:
        raw: the parsed JSON, None if the stack has none.
        key: its key; that of an uncompressed checkpoint if there is none.
        tag: its tag, ABSENT if there is none.
    """

    raw: Any
    key: str
    tag: str


@dataclass(frozen=True)
class Backend:
    """One stack's objects in a store.

    Attributes:
        store: the backend; keys begin with `.pulumi/`.
        gzip: whether checkpoints are written compressed.
        shared: whether the store was configured, so that others may use it too.
    """

    store: Store
    project: str
    stack: str
    gzip: bool = False
    shared: bool = False

    @property
    def full_name(self) -> str:
        """The stack's name with its project and the DIY backend's only organization."""
        return f"organization/{self.project}/{self.stack}"

    @property
    def key(self) -> str:
        """The key of the checkpoint; a compressed checkpoint has `.gz` after it."""
        return f".pulumi/stacks/{self.project}/{self.stack}.json"

    @property
    def locks(self) -> str:
        """The prefix of the keys of this stack's Pulumi locks."""
        return f".pulumi/locks/{self.full_name}/"

    @property
    def folder(self) -> Path | None:
        """The folder of a store on this machine, None for a bucket."""
        return self.store.folder if isinstance(self.store, FolderStore) else None

    @property
    def place(self) -> str:
        """The folder or URL of the backend, for messages."""
        return str(self.folder or self.store.url)

    @property
    def exists(self) -> bool:
        """Whether the stack has a checkpoint."""
        return bool(self._read_candidates())

    def delete(self, present: Checkpoint) -> None:
        """Delete the checkpoint, its backups and its history, as `pulumi stack rm` does.

        Args:
            present: the checkpoint as it was read, which must be unchanged.
        """
        if present.tag != ABSENT:
            self.store.delete(present.key, only_if=present.tag)
        history = f".pulumi/history/{self.project}/{self.stack}/"
        for key in [*self.store.keys(self.key), *self.store.keys(history)]:
            self.store.delete(key)

    def load(self) -> Any:
        """Read the checkpoint's parsed content; None if the stack has none.

        Raises:
            StateError: the object is not a checkpoint.
        """
        return self.read_current().raw

    def read_current(self) -> Checkpoint:
        """Read the checkpoint with its current tag.

        Raises:
            StateError: the object is not a checkpoint.
        """
        candidates = self._read_candidates()
        if not candidates:
            return Checkpoint(None, self.key, ABSENT)
        key = self._choose_latest(candidates)
        return Checkpoint(self._parse(key, candidates[key]), key, candidates[key].tag)

    def read_tag(self) -> str:
        """Return the tag that the checkpoint has now, ABSENT if the stack has none."""
        candidates = self._read_candidates()
        return candidates[self._choose_latest(candidates)].tag if candidates else ABSENT

    def _choose_latest(self, found: dict[str, StoredObject]) -> str:
        return max(found, key=lambda key: (found[key].modified, key == self.target))

    def read_salt(self, raw: Any) -> str:
        """Return the salt string in a checkpoint's content, empty if it has none."""
        return read_salt(raw) if raw else ""

    def read(self, raw: Any, opener: Opener) -> Deployment:
        """Read the state in a checkpoint's content, without decrypting anything.

        Raises:
            StateError: this engine does not support the checkpoint.
        """
        if raw is None:
            return Deployment()
        try:
            return read_checkpoint(raw, opener)
        except StateError as error:
            place = self.store.describe(self.key)
            raise StateError(f"{place}: {error.message}", remedy=error.remedy) from None

    def make_writer(
        self,
        sealer: Sealer,
        *,
        after: Checkpoint | None = None,
        guard: Callable[[], None] | None = None,
    ) -> "StateWriter":
        """Make a writer for one run. Readers see either the whole old state or the whole new one.

        Args:
            after: the checkpoint that the run has read, by default the current one.
            guard: called before each write; raises an error if the run may no longer write.
        """
        from importlib.metadata import version

        program = f"flowflare/{version('flowflare')}"
        texts = CheckpointWriter(sealer, stack=self.full_name, version=program)
        return StateWriter(self, texts, after or self.read_current(), guard)

    @property
    def target(self) -> str:
        """The key under which checkpoints are written."""
        return f"{self.key}.gz" if self.gzip else self.key

    def _read_candidates(self) -> dict[str, StoredObject]:
        return self.store.read_many([self.key + ending for ending in _ENDINGS])

    def _parse(self, key: str, stored: StoredObject) -> Any:
        place = self.store.describe(key)
        if stored.data.startswith(_ZSTD):
            raise StateError(
                f"the state is compressed with Zstandard: {place}",
                remedy="Unset PULUMI_DIY_BACKEND_ZSTD and write it again with the Pulumi CLI.",
            )
        try:
            raw = parse_stored(stored.data)
            refuse_foreign(raw)
            check_checkpoint(raw)
        except StateError as error:
            raise StateError(f"{place}: {error.message}", remedy=error.remedy) from None
        except (ValueError, OSError, EOFError, zlib.error) as error:
            raise StateError(
                f"the state file {place} is not a Pulumi checkpoint: {error}",
                remedy=f"The previous state is {place}.bak: copy it back.",
            ) from None
        return raw


def parse_stored(data: bytes) -> Any:
    """Parse a stored checkpoint, compressed or not.

    Raises:
        JsonError: it is not JSON, or is nested too deeply.
        OSError, EOFError, zlib.error: the compressed data is damaged or expands to too much.
    """
    return parse_json(decompress(data) if data.startswith(_GZIP) else data)


class StateWriter:
    """Writes the states of one run, each only if the previous version is still stored.

    Args:
        texts: turns a state into text.
        after: the checkpoint at the start.
        guard: called before each write.
    """

    def __init__(
        self,
        backend: Backend,
        texts: CheckpointWriter,
        after: Checkpoint,
        guard: Callable[[], None] | None,
    ) -> None:
        self._backend = backend
        self._texts = texts
        self._current = after
        self._guard = guard
        self._is_prepared = False
        self._unanswered: list[bytes] = []

    def __call__(self, deployment: Deployment) -> None:
        """Write a state.

        Raises:
            ConflictError: another run has written the stack's state; nothing was written.
            StateError: it cannot be written, or the run may no longer write.
        """
        data = self._texts.text(deployment, format_now()).encode()
        if self._backend.gzip:
            data = gzip.compress(data, 6)
        if self._guard is not None:
            self._guard()
        self._prepare()
        store, before, key = self._backend.store, self._current, self._backend.target
        if before.tag != ABSENT:
            store.copy(before.key, f"{before.key}.bak")
        only_if = before.tag if before.key == key else None
        self._current = Checkpoint(None, key, self._put(key, data, only_if))
        if before.key != key:
            store.delete(before.key)

    def _put(self, key: str, data: bytes, only_if: str | None) -> str:
        store = self._backend.store
        try:
            tag = store.put(key, data, only_if=only_if)
        except ConflictError as error:
            present = store.get(key)
            if present is None or present.data not in self._unanswered:
                raise self._explain_conflict(error) from None
            tag = store.put(key, data, only_if=present.tag)
        except StateError:
            self._unanswered.append(data)  # it may have been written
            raise
        self._unanswered.clear()
        return tag

    def _explain_conflict(self, error: ConflictError) -> ConflictError:
        return ConflictError(
            f"stack {self._backend.stack}: {error.message} during this run",
            remedy="Nothing was overwritten. Find what else works on the stack, then run again.",
        )

    def _prepare(self) -> None:
        if self._is_prepared:
            return
        store = self._backend.store
        meta = store.get(_META_KEY)
        if meta is None:
            store.put(_META_KEY, _META)
        elif meta.data.strip() not in (b"version: 1", b"version: 0"):
            place = store.describe(_META_KEY)
            raise StateError(f"{place}: this engine only writes version 1 of the backend's layout")
        self._is_prepared = True
