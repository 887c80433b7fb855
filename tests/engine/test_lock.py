"""The lock of a stack: Pulumi's lock file for its CLI, and a kernel lock for Flowflare's runs."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flowflare.errors import LockedError
from flowflare.state.backend import Backend
from flowflare.state.backends.folder import FolderStore
from flowflare.state.lock import lock_stack, read_locks, unlock


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return Backend(FolderStore(tmp_path / "state"), "p", "dev")


def find_lock_folder(backend: Backend) -> Path:
    assert backend.folder is not None
    return backend.folder / ".pulumi/locks/organization/p/dev"


def write_lock(backend: Backend, **fields: object) -> Path:
    find_lock_folder(backend).mkdir(parents=True, exist_ok=True)
    lock = {"pid": os.getpid(), "username": "ann", "hostname": socket.gethostname()}
    lock |= {"timestamp": "2026-11-23T18:50:54.88Z", **fields}
    path = find_lock_folder(backend) / "11111111-1111-4111-8111-111111111111.json"
    path.write_text(json.dumps(lock))
    return path


def end_process() -> int:
    """Start a process, wait until it ended and return its PID."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_lock_file_has_the_fields_that_the_cli_reads(backend: Backend) -> None:
    with lock_stack(backend) as lock:
        assert lock.taken == ()
        (path,) = find_lock_folder(backend).iterdir()
        fields = json.loads(path.read_text())
        assert {"pid", "username", "hostname", "timestamp"} <= fields.keys()
        assert fields["pid"] == os.getpid()
    assert list(find_lock_folder(backend).iterdir()) == []


def test_a_second_lock_in_the_same_process_is_refused(backend: Backend) -> None:
    with (
        lock_stack(backend),
        pytest.raises(LockedError, match=f"pid {os.getpid()}"),
        lock_stack(backend),
    ):
        raise AssertionError
    with lock_stack(backend):
        pass


def test_the_lock_of_the_cli_is_respected(backend: Backend) -> None:
    path = write_lock(backend)
    with pytest.raises(LockedError, match=r"(?s)ann@.*flowflare unlock"), lock_stack(backend):
        raise AssertionError
    assert path.exists()
    (removed,) = unlock(backend)
    assert removed.holder.username == "ann"
    assert not path.exists()


@pytest.mark.parametrize("engine", ["", "flowflare"])
def test_the_lock_of_a_dead_process_is_taken_over(backend: Backend, engine: str) -> None:
    write_lock(backend, pid=end_process(), engine=engine)
    with lock_stack(backend) as lock:
        assert [taken.holder.username for taken in lock.taken] == ["ann"]


def test_a_lock_of_flowflare_is_dead_even_if_its_pid_is_in_use_again(backend: Backend) -> None:
    write_lock(backend, engine="flowflare")
    with lock_stack(backend) as lock:
        assert len(lock.taken) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}'])
def test_a_lock_that_cannot_be_read_is_still_a_lock(backend: Backend, text: str) -> None:
    write_lock(backend).write_text(text)
    assert len(read_locks(backend)) == 1
    with pytest.raises(LockedError), lock_stack(backend):
        raise AssertionError
    assert len(unlock(backend)) == 1


def test_a_lock_of_another_host_is_never_taken_over(backend: Backend) -> None:
    write_lock(backend, pid=end_process(), hostname="elsewhere", engine="flowflare")
    with pytest.raises(LockedError, match="ann@elsewhere"), lock_stack(backend):
        raise AssertionError
