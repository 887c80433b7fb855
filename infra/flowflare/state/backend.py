"""A stack's state in a store, in the layout of Pulumi's own backends for folders and buckets.

Keys as in `pkg/backend/diy` of pulumi/pulumi: `.pulumi/meta.yaml`, `.pulumi/stacks/<p>/<s>.json`
with the write before it as `.bak`, `.pulumi/locks/organization/<p>/<s>/`. `pulumi login` with the
same URL finds the same stacks. A checkpoint may be compressed, which its bytes say; of several
the newest counts, as for the CLI.
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
from flowflare.state.backends.store import ABSENT, Store, Stored
from flowflare.state.checkpoint import (
    CheckpointWriter,
    Deployment,
    Sealer,
    read_checkpoint,
    salt_of,
)
from flowflare.state.checkpoint_shape import check_checkpoint, refuse_foreign
from flowflare.values.properties import Opener

_META_KEY: Final = ".pulumi/meta.yaml"
_META: Final = b"version: 1\n"
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ENDINGS: Final = ("", ".gz", ".zst")


def now() -> str:
    """The time as state writes it, RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as it was found.

    Attributes:
        raw: the parsed JSON, None where the stack has none.
        key: its key, that of an uncompressed one where there is none.
        tag: its tag, ABSENT where there is none.
    """

    raw: Any
    key: str
    tag: str


@dataclass(frozen=True)
class Backend:
    """One stack's objects in a store.

    Attributes:
        store: the backend; keys begin with `.pulumi/`.
        project: the project's name.
        stack: the stack's name.
        gzip: whether checkpoints are written compressed.
        shared: whether somebody named the store, so that others may use it as well.
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
        """The key of the checkpoint; a compressed one's has `.gz` after it."""
        return f".pulumi/stacks/{self.project}/{self.stack}.json"

    @property
    def locks(self) -> str:
        """What the keys of Pulumi's locks of this stack begin with."""
        return f".pulumi/locks/{self.full_name}/"

    @property
    def folder(self) -> Path | None:
        """The folder of a store on this machine, None for a bucket."""
        return self.store.folder if isinstance(self.store, FolderStore) else None

    @property
    def place(self) -> str:
        """Where the backend is, as it is shown to people."""
        return str(self.folder or self.store.url)

    @property
    def exists(self) -> bool:
        """Whether the stack has a checkpoint."""
        return bool(self._found())

    def load(self) -> Any:
        """The checkpoint's parsed content, None where the stack has none.

        Raises:
            StateError: there is one, and it is not a checkpoint.
        """
        return self.present().raw

    def present(self) -> Checkpoint:
        """The checkpoint with the tag that it has now.

        Raises:
            StateError: there is one, and it is not a checkpoint.
        """
        found = self._found()
        if not found:
            return Checkpoint(None, self.key, ABSENT)
        key = self._latest(found)
        return Checkpoint(self._parsed(key, found[key]), key, found[key].tag)

    def tag(self) -> str:
        """Return the tag that the checkpoint has now, ABSENT if the stack has none."""
        found = self._found()
        return found[self._latest(found)].tag if found else ABSENT

    def _latest(self, found: dict[str, Stored]) -> str:
        return max(found, key=lambda key: (found[key].modified, key == self.target))

    def salt(self, raw: Any) -> str:
        """The salt string in a checkpoint's content, empty where there is none."""
        return salt_of(raw) if raw else ""

    def read(self, raw: Any, opener: Opener) -> Deployment:
        """The state in a checkpoint's content; nothing is opened.

        Raises:
            StateError: it is not a checkpoint that this engine serves.
        """
        if raw is None:
            return Deployment()
        try:
            return read_checkpoint(raw, opener)
        except StateError as error:
            shown = self.store.shown(self.key)
            raise StateError(f"{shown}: {error.message}", remedy=error.remedy) from None

    def writer(
        self,
        sealer: Sealer,
        *,
        after: Checkpoint | None = None,
        guard: Callable[[], None] | None = None,
    ) -> "StateWriter":
        """What writes the states of one run; who reads sees the whole old or the whole new one.

        Args:
            sealer: seals the secrets.
            after: what the run has read, by default what is there now.
            guard: is asked before each write, and raises where the run may not write any more.
        """
        from importlib.metadata import version

        made_by = f"flowflare/{version('flowflare')}"
        texts = CheckpointWriter(sealer, stack=self.full_name, version=made_by)
        return StateWriter(self, texts, after or self.present(), guard)

    @property
    def target(self) -> str:
        """The key under which checkpoints are written."""
        return f"{self.key}.gz" if self.gzip else self.key

    def _found(self) -> dict[str, Stored]:
        return self.store.read_many([self.key + ending for ending in _ENDINGS])

    def _parsed(self, key: str, stored: Stored) -> Any:
        shown = self.store.shown(key)
        if stored.data.startswith(_ZSTD):
            raise StateError(
                f"the state is compressed: {shown}",
                remedy="Write it once with the Pulumi CLI without PULUMI_DIY_BACKEND_ZSTD.",
            )
        try:
            raw = parse_stored(stored.data)
            refuse_foreign(raw)
            check_checkpoint(raw)
        except StateError as error:
            raise StateError(f"{shown}: {error.message}", remedy=error.remedy) from None
        except (ValueError, OSError, EOFError, zlib.error) as error:
            raise StateError(
                f"the state file {shown} is not a checkpoint of Pulumi: {error}",
                remedy=f"The state before the last write is {shown}.bak: copy it back.",
            ) from None
        return raw


def parse_stored(data: bytes) -> Any:
    """Parse a stored checkpoint, compressed or not.

    Raises:
        JsonError: it is not JSON, or is nested too deeply.
        OSError, EOFError, zlib.error: its compressed data is damaged or stands for too much.
    """
    return parse_json(decompress(data) if data.startswith(_GZIP) else data)


class StateWriter:
    """Writes the states of one run, each on the condition that the one before is still there.

    Args:
        backend: the stack.
        texts: makes the texts.
        after: what is there at the beginning.
        guard: is asked before each write.
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
        self._there = after
        self._guard = guard
        self._is_prepared = False
        self._unanswered: list[bytes] = []

    def __call__(self, deployment: Deployment) -> None:
        """Writes a state.

        Raises:
            ConflictError: somebody else has written the stack's state; nothing was written.
            StateError: it cannot be written, or may not any more.
        """
        data = self._texts.text(deployment, now()).encode()
        if self._backend.gzip:
            data = gzip.compress(data, 6)
        if self._guard is not None:
            self._guard()
        self._prepare()
        store, before, key = self._backend.store, self._there, self._backend.target
        if before.tag != ABSENT:
            store.copy(before.key, f"{before.key}.bak")
        only_if = before.tag if before.key == key else None
        self._there = Checkpoint(None, key, self._put(key, data, only_if))
        if before.key != key:
            store.delete(before.key)

    def _put(self, key: str, data: bytes, only_if: str | None) -> str:
        store = self._backend.store
        try:
            tag = store.put(key, data, only_if=only_if)
        except ConflictError as error:
            present = store.get(key)
            if present is None or present.data not in self._unanswered:
                raise self._changed(error) from None
            tag = store.put(key, data, only_if=present.tag)
        except StateError:
            self._unanswered.append(data)  # it may be there all the same
            raise
        self._unanswered.clear()
        return tag

    def _changed(self, error: ConflictError) -> ConflictError:
        return ConflictError(
            f"stack {self._backend.stack}: {error.message} while this run worked on it",
            remedy="Nothing of it was overwritten. Look at who works on the stack, and run again.",
        )

    def _prepare(self) -> None:
        if self._is_prepared:
            return
        store = self._backend.store
        meta = store.get(_META_KEY)
        if meta is None:
            store.put(_META_KEY, _META)
        elif meta.data.strip() not in (b"version: 1", b"version: 0"):
            shown = store.shown(_META_KEY)
            raise StateError(f"{shown}: this engine writes version 1 of the backend's layout")
        self._is_prepared = True
