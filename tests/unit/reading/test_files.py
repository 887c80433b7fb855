"""Reading a file that may be anything: what is waited for by `open` is refused at once."""

import gzip
import os
import socket
from pathlib import Path

import pytest

from flowflare.reading.files import (
    UnusableFileError,
    decompress,
    open_lock,
    read_bytes,
    read_text,
)


def test_a_file_is_read_as_python_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes("ä\r\nb\rc\n".encode())
    assert read_text(file) == file.read_text("utf-8") == "ä\nb\nc\n"
    assert read_text(file, newline="") == "ä\r\nb\rc\n"
    assert read_bytes(file) == file.read_bytes()


def test_a_named_pipe_a_socket_and_a_device_are_refused_by_name(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        for file, what in (
            (pipe, "is a named pipe"),
            (path, "is a socket"),
            (Path("/dev/zero"), "is a device"),
        ):
            with pytest.raises(UnusableFileError, match=f"{file} {what}, not a file"):
                read_bytes(file)
    with pytest.raises(UnusableFileError, match="is not a file"):
        open_lock(pipe)


def test_a_link_to_a_device_is_refused_too(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/zero")
    with pytest.raises(UnusableFileError, match="is a device"):
        read_text(link)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "huge"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(UnusableFileError, match=r"huge is larger than 64 MiB"):
        read_bytes(file)


def test_what_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "latin"
    file.write_bytes(b"\xe4")
    with pytest.raises(UnusableFileError, match="latin is not UTF-8 text"):
        read_text(file)


def test_a_missing_file_and_a_folder_are_what_they_are_for_python(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)


def test_compressed_data_stands_for_a_limited_size() -> None:
    assert decompress(gzip.compress(b"state")) == b"state"
    with pytest.raises(OSError, match="decompresses to more than 1 MiB"):
        decompress(gzip.compress(bytes(3 << 20)), most=1 << 20)
