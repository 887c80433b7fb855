"""A store in a folder: a file for each object, replaced atomically and synced to disk.

A conditional write holds the kernel's lock on the file that it replaces; the lock ends with its
process. Drafts, whose names begin with a dot, and the `*.attrs` files of Pulumi's CLI are not
objects.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from flowflare.errors import ConflictError, StateError
from flowflare.reading.files import MOST_STORED_BYTES, UnusableFileError, open_file
from flowflare.state.backends.store import ABSENT, StoredObject

_SIDECAR: Final = ".attrs"
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.002


class FolderStore:
    """The objects in a folder, which the first write creates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"FolderStore({str(self.folder)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FolderStore) and other.folder == self.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    @property
    def is_remote(self) -> bool:
        """False: it is unknown whether other machines can reach a folder."""
        return False

    @property
    def url(self) -> str:
        """The folder as a `file://` URL."""
        return f"file://{self.folder}"

    def describe(self, key: str) -> str:
        """Return the path of the object's file."""
        return str(self.path(key))

    def path(self, key: str) -> Path:
        """Return the path of the object's file.

        Raises:
            ValueError: the key is invalid.
        """
        parts = key.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise ValueError(f"{key!r} is not a valid key")
        return self.folder.joinpath(*parts)

    def get(self, key: str) -> StoredObject | None:
        """Read an object; None if it does not exist."""
        path = self.path(key)
        with _translate_errors(path):
            try:
                with open_file(path) as file:
                    found = os.fstat(file.fileno())
                    if found.st_size > MOST_STORED_BYTES:
                        raise UnusableFileError(path, "is larger than 1 GiB")
                    data, written = file.read(), found.st_mtime
            except (FileNotFoundError, NotADirectoryError):
                return None
        return StoredObject(data, _tag(data), written)

    def put(self, key: str, data: bytes, *, only_if: str | None = None) -> str:
        """Write an object; see `Store`."""
        path = self.path(key)
        with _translate_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if only_if == ABSENT:
                self._create(path, data)
            else:
                with _hold_file(path) as handle:
                    _require(path, handle, only_if)
                    _replace(path, data)
        return _tag(data)

    def copy(self, source: str, target: str) -> bool:
        """Hard-link the source's file: files are only ever replaced, never changed."""
        path, other = self.path(source), self.path(target)
        with _translate_errors(other):
            other.parent.mkdir(parents=True, exist_ok=True)
            draft = other.with_name(f".{other.name}-{os.urandom(6).hex()}")
            try:
                draft.hardlink_to(path)
                draft.replace(other)
            except (FileNotFoundError, NotADirectoryError):
                return False
            finally:
                draft.unlink(missing_ok=True)  # it remains if both names were one file already
            _sync_folder(other.parent)
        return True

    def delete(self, key: str, *, only_if: str | None = None) -> None:
        """Remove an object; see `Store`."""
        path = self.path(key)
        with _translate_errors(path), _hold_file(path) as handle:
            if handle is not None:
                _require(path, handle, only_if)
                path.unlink(missing_ok=True)

    def keys(self, prefix: str) -> list[str]:
        """List the keys that begin with a string, sorted."""
        folder, _, start = prefix.rpartition("/")
        top = self.path(folder) if folder else self.folder
        found = []
        for parent, folders, names in os.walk(top, onerror=_refuse_unreadable):
            if Path(parent) == top:
                folders[:] = [name for name in folders if name.startswith(start)]
                names = [name for name in names if name.startswith(start)]  # noqa: PLW2901
            place = Path(parent).relative_to(self.folder)
            found += [(place / name).as_posix() for name in names if _is_object(name)]
        return sorted(found)

    def tags(self, prefix: str, *, ending: str | tuple[str, ...] = "") -> dict[str, str]:
        """Return the tags of some objects, which are hashes of their content."""
        found = {}
        for key in self.keys(prefix):
            stored = self.get(key) if key.endswith(ending) else None
            if stored is not None:
                found[key] = stored.tag
        return found

    def read_many(self, keys: Sequence[str]) -> dict[str, StoredObject]:
        """Read several objects, one after another."""
        read = ((key, self.get(key)) for key in keys)
        return {key: stored for key, stored in read if stored is not None}

    def _create(self, path: Path, data: bytes) -> None:
        draft = _draft(path, data)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            raise _make_conflict(path) from None
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)


def open_folder(url: str, environ: Mapping[str, str], base: Path) -> FolderStore:
    """Open the folder that a `file://` URL names.

    Args:
        environ: the environment, for the home folder.
        base: the folder at which a relative path starts.
    """
    return FolderStore((base / (parse_folder_url(url, environ) or "")).resolve())


def parse_folder_url(url: str, environ: Mapping[str, str]) -> Path | None:
    """Return the folder of a `file://` backend, None for any other.

    `file://~` is the home folder. After `?` come options of the backend, which are ignored.
    """
    if not url.startswith("file://"):
        return None
    text = unquote(url.removeprefix("file://").partition("?")[0])
    if text == "~" or text.startswith("~/"):
        home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 -- of a text
        return Path(home + text[1:])
    return Path(text)


def _refuse_unreadable(error: OSError) -> None:
    """Raise an error, so that an unreadable folder does not look empty."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise StateError(f"{error.filename}: {error.strerror}")


def _is_object(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(_SIDECAR)


def _tag(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _require(path: Path, handle: int | None, only_if: str | None) -> None:
    """Check that the locked file has a tag."""
    if only_if is None:
        return
    if handle is None:
        raise _make_conflict(path)
    with os.fdopen(os.dup(handle), "rb") as file:
        if _tag(file.read()) != only_if:
            raise _make_conflict(path)


@contextlib.contextmanager
def _hold_file(path: Path) -> Iterator[int | None]:
    """Open and lock the current file; yield None if it does not exist.

    A process that waited finds the file replaced, and must wait for the new file.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            # NFS only locks files that are open for writing. A FIFO would block without NONBLOCK.
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            yield None
            return
        try:
            if _try_lock(handle) and _is_still(path, handle):
                yield handle
                return
        finally:
            os.close(handle)
        if time.monotonic() > until:
            raise StateError(f"{path} has been locked by another process for {_PATIENCE:.0f} s")
        time.sleep(_PAUSE)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _replace(path: Path, data: bytes) -> None:
    """Replace a file atomically: write a draft beside it, rename it, and sync both to disk.

    Otherwise a power cut could leave an empty file or undo the rename, and the next run would not
    know what this run has created.
    """
    draft = _draft(path, data)
    try:
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _draft(path: Path, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateError(f"{path}: {error.strerror or error}") from None


def _make_conflict(path: Path) -> ConflictError:
    return ConflictError(f"{path} has been changed by another process")
