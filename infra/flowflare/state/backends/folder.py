"""A store in a folder: a file for each object, replaced in one step and on the disk when it is.

A conditional write holds the kernel's lock on the file that it replaces: a lock that its process
cannot leave behind. Beside the objects may lie what others put there: drafts, whose names begin
with a dot, and the `*.attrs` that Pulumi's CLI writes; they are no objects.
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
from flowflare.state.backends.store import ABSENT, Stored

_SIDECAR: Final = ".attrs"
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.002


class FolderStore:
    """The objects in a folder; it is made with the first object.

    Args:
        folder: the folder.
    """

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
        """Whether other machines are known to reach it: of a folder nobody knows."""
        return False

    @property
    def url(self) -> str:
        """The folder as a `file://` URL."""
        return f"file://{self.folder}"

    def shown(self, key: str) -> str:
        """The object's file."""
        return str(self.path(key))

    def path(self, key: str) -> Path:
        """The object's file.

        Raises:
            ValueError: no object can have that key.
        """
        parts = key.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise ValueError(f"{key!r} is no key")
        return self.folder.joinpath(*parts)

    def get(self, key: str) -> Stored | None:
        """Reads an object, None where there is none."""
        path = self.path(key)
        with _in_words(path):
            try:
                with open_file(path) as file:
                    found = os.fstat(file.fileno())
                    if found.st_size > MOST_STORED_BYTES:
                        raise UnusableFileError(path, "is larger than 1 GiB")
                    data, written = file.read(), found.st_mtime
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Stored(data, _tag(data), written)

    def put(self, key: str, data: bytes, *, only_if: str | None = None) -> str:
        """Writes an object; see `Store`."""
        path = self.path(key)
        with _in_words(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if only_if == ABSENT:
                self._create(path, data)
            else:
                with _locked(path) as there:
                    _require(path, there, only_if)
                    _replace(path, data)
        return _tag(data)

    def copy(self, source: str, target: str) -> bool:
        """Gives the source's file a second name: both are only ever replaced, never changed."""
        path, other = self.path(source), self.path(target)
        with _in_words(other):
            other.parent.mkdir(parents=True, exist_ok=True)
            draft = other.with_name(f".{other.name}-{os.urandom(6).hex()}")
            try:
                draft.hardlink_to(path)
                draft.replace(other)
            except (FileNotFoundError, NotADirectoryError):
                return False
            finally:
                draft.unlink(missing_ok=True)  # is left where both are one file already
            _sync_folder(other.parent)
        return True

    def delete(self, key: str, *, only_if: str | None = None) -> None:
        """Removes an object; see `Store`."""
        path = self.path(key)
        with _in_words(path), _locked(path) as there:
            if there is not None:
                _require(path, there, only_if)
                path.unlink(missing_ok=True)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a text, sorted."""
        folder, _, name = prefix.rpartition("/")
        top = self.path(folder) if folder else self.folder
        found = []
        for parent, folders, names in os.walk(top, onerror=_refuse_unreadable):
            if Path(parent) == top:
                folders[:] = [one for one in folders if one.startswith(name)]
                names = [one for one in names if one.startswith(name)]  # noqa: PLW2901
            place = Path(parent).relative_to(self.folder)
            found += [(place / one).as_posix() for one in names if _is_object(one)]
        return sorted(found)

    def tags(self, prefix: str, *, ending: str | tuple[str, ...] = "") -> dict[str, str]:
        """The tags of some objects, made of their content."""
        found = {}
        for key in self.keys(prefix):
            stored = self.get(key) if key.endswith(ending) else None
            if stored is not None:
                found[key] = stored.tag
        return found

    def read_many(self, keys: Sequence[str]) -> dict[str, Stored]:
        """Reads several objects one after the other."""
        read = ((key, self.get(key)) for key in keys)
        return {key: stored for key, stored in read if stored is not None}

    def _create(self, path: Path, data: bytes) -> None:
        draft = _draft(path, data)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            raise _conflict(path) from None
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)


def open_folder(url: str, environ: Mapping[str, str], base: Path) -> FolderStore:
    """Open the folder that a `file://` URL names.

    Args:
        url: the URL.
        environ: the environment, for the home folder.
        base: where a folder that is not absolute begins.
    """
    return FolderStore((base / (local_folder(url, environ) or "")).resolve())


def local_folder(url: str, environ: Mapping[str, str]) -> Path | None:
    """The folder of a `file://` backend, None for any other.

    `file://~` is the home folder; what stands after `?` are options of the backend.
    """
    if not url.startswith("file://"):
        return None
    text = unquote(url.removeprefix("file://").partition("?")[0])
    if text == "~" or text.startswith("~/"):
        home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 -- of a text
        return Path(home + text[1:])
    return Path(text)


def _refuse_unreadable(error: OSError) -> None:
    """A folder that cannot be listed must not look like an empty one."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise StateError(f"{error.filename}: {error.strerror}")


def _is_object(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(_SIDECAR)


def _tag(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _require(path: Path, there: int | None, only_if: str | None) -> None:
    """Sees that the file, locked, has a tag."""
    if only_if is None:
        return
    if there is None:
        raise _conflict(path)
    with os.fdopen(os.dup(there), "rb") as file:
        if _tag(file.read()) != only_if:
            raise _conflict(path)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """Holds the file that is there now, open; None where there is none.

    Who waited finds the file replaced, and has to wait for the new one.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            # To write, as NFS demands for a lock; a FIFO would be waited for.
            there = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            yield None
            return
        try:
            if _try_lock(there) and _is_still(path, there):
                yield there
                return
        finally:
            os.close(there)
        if time.monotonic() > until:
            raise StateError(f"{path} has been locked by another process for {_PATIENCE:.0f} s")
        time.sleep(_PAUSE)


def _try_lock(there: int) -> bool:
    try:
        fcntl.flock(there, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, there: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(there))
    except FileNotFoundError:
        return False


def _replace(path: Path, data: bytes) -> None:
    """Puts a file in place in one step: a draft beside it, then a rename; both reach the disk.

    Without that a power cut could leave an empty file, or take the rename back: what a run has
    made since would not be known to the next one.
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
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateError(f"{path}: {error.strerror or error}") from None


def _conflict(path: Path) -> ConflictError:
    return ConflictError(f"{path} has been changed by another process")
