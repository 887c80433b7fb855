"""Read regular files of a limited size.

Opening a FIFO waits for a writer that may never come, and reading a device may never end. So a
file is opened without waiting and is looked at before it is read.
"""

import errno
import gzip
import io
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

#: The largest configuration, source, template, migration or secret that is read, in bytes.
MOST_BYTES: Final = 64 * 1024 * 1024
#: The largest stored object: a stack's state, compressed or not.
MOST_STORED_BYTES: Final = 1024 * 1024 * 1024
_PART: Final = 1024 * 1024
_KINDS: Final = {
    stat.S_IFIFO: "is a named pipe, not a file",
    stat.S_IFSOCK: "is a socket, not a file",
    stat.S_IFCHR: "is a device, not a file",
    stat.S_IFBLK: "is a device, not a file",
}


class UnusableFileError(OSError):
    """A file that is of the wrong kind, too large or not text: `filename` and `strerror` say why.

    Args:
        why: what is wrong with it, as the end of a sentence: `is a socket, not a file`.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(errno.EINVAL, why, str(path))

    def __str__(self) -> str:
        return f"{self.filename} {self.strerror}"


def open_file(path: Path, *, follow_links: bool = True) -> BufferedReader:
    """Open a regular file for reading.

    Args:
        follow_links: whether the last part of the path may be a symbolic link.

    Raises:
        UnusableFileError: it is a named pipe, a socket or a device.
        OSError: it is missing, a folder, or must not be read.
    """
    # Without O_NONBLOCK, opening a FIFO waits for a writer; O_NOCTTY matters to a terminal only.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    try:
        descriptor = os.open(path, flags if follow_links else flags | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EOPNOTSUPP):  # what open(2) says of a socket
            raise UnusableFileError(path, _KINDS[stat.S_IFSOCK]) from None
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise UnusableFileError(path, _KINDS.get(stat.S_IFMT(mode), "is not a file"))


def open_lock(path: Path) -> BinaryIO:
    """Open a file to lock it, and make it if it is missing; its folder exists.

    Raises:
        UnusableFileError: it is a named pipe, a socket or a device.
        OSError: it cannot be made, or must not be written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "r+b")
    os.close(descriptor)
    raise UnusableFileError(path, "is not a file")


def read_bytes(path: Path, *, most: int = MOST_BYTES, follow_links: bool = True) -> bytes:
    """Read a whole file.

    Args:
        most: the largest size that is accepted, in bytes.
        follow_links: whether the last part of the path may be a symbolic link.

    Raises:
        UnusableFileError: it is not a regular file, or is too large.
        OSError: it is missing or must not be read.
    """
    with open_file(path, follow_links=follow_links) as file:
        if os.fstat(file.fileno()).st_size <= most:
            data = _read_most(file, most)
            if data is not None:
                return data
    raise UnusableFileError(path, f"is larger than {most // 1024 // 1024} MiB")


def read_text(path: Path, *, most: int = MOST_BYTES, newline: str | None = None) -> str:
    r"""Read a whole file of UTF-8 text.

    Args:
        most: the largest size that is accepted, in bytes.
        newline: None to turn every line ending into `\n`, as Python's text files do; an empty text
            to keep the line endings.

    Raises:
        UnusableFileError: it is not a regular file, is too large, or is not UTF-8.
        OSError: it is missing or must not be read.
    """
    try:
        text = read_bytes(path, most=most).decode("utf-8")
    except UnicodeDecodeError:
        raise UnusableFileError(path, "is not UTF-8 text") from None
    return text if newline == "" else text.replace("\r\n", "\n").replace("\r", "\n")


def decompress(data: bytes, *, most: int = MOST_STORED_BYTES) -> bytes:
    """Decompress gzip data; a few bytes can stand for any number of them.

    Args:
        data: the compressed bytes.
        most: the largest result that is accepted, in bytes.

    Raises:
        OSError, EOFError, zlib.error: the data is damaged or stands for more bytes.
    """
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        found = _read_most(file, most)
    if found is None:
        raise gzip.BadGzipFile(f"it decompresses to more than {most // 1024 // 1024} MiB")
    return found


def _read_most(file: io.BufferedIOBase, most: int) -> bytes | None:
    """Read to the end, or return None for more than `most` bytes.

    `read(most + 1)` would allocate that much memory at once for the smallest file.
    """
    parts, left = [], most
    while part := file.read(_PART):
        left -= len(part)
        if left < 0:
            return None
        parts.append(part)
    return b"".join(parts)
