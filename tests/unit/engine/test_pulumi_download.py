"""The Pulumi CLI comes from its release, and only as its checksums say."""

import functools
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flowflare.engine.pulumi_cli.download import archive_name, download
from flowflare.engine.pulumi_cli.versions import PULUMI_VERSION
from flowflare.errors import EngineError


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The release's folder: an archive with one program."""
    folder = tmp_path / "release"
    folder.mkdir()
    with tarfile.open(folder / archive_name(), "w:gz") as archive:
        for name in ("pulumi/pulumi", "../../outside"):
            entry = tarfile.TarInfo(name)
            entry.size = 4
            archive.addfile(entry, io.BytesIO(b"prog"))
    return folder


@pytest.fixture
def release(files: Path) -> Iterator[str]:
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(files))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def say(files: Path, checksum: str) -> None:
    listed = f"{'0' * 64}  another.tar.gz\n{checksum}  {archive_name()}\n"
    (files / f"pulumi-{PULUMI_VERSION}-checksums.txt").write_text(listed)


def test_what_its_checksum_says(files: Path, release: str, tmp_path: Path) -> None:
    say(files, hashlib.sha256((files / archive_name()).read_bytes()).hexdigest())
    download(tmp_path / "bin", release)
    program = tmp_path / "bin" / "pulumi"
    assert program.read_bytes() == b"prog"
    assert program.stat().st_mode & 0o111
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "release"]


@pytest.mark.parametrize(
    ("checksum", "said"),
    [("1" * 64, f"lists {'1' * 64}"), ("1", "has no SHA-256 of pulumi-v"), (None, "404")],
)
def test_anything_else_is_not_unpacked(
    files: Path, release: str, tmp_path: Path, checksum: str | None, said: str
) -> None:
    if checksum:
        say(files, checksum)
    with pytest.raises(EngineError, match=said):
        download(tmp_path / "bin", release)
    assert not (tmp_path / "bin").exists()


def test_each_machine_has_its_archive() -> None:
    names = [archive_name("linux", "x86_64"), archive_name("darwin", "arm64")]
    ends = ("linux-x64.tar.gz", "darwin-arm64.tar.gz")
    assert names == [f"pulumi-v{PULUMI_VERSION}-{end}" for end in ends]
    with pytest.raises(EngineError, match="no archive for win32"):
        archive_name("win32", "AMD64")
