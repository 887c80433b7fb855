"""The lock: Pulumi's file for its CLI, a kernel lock for our own runs."""

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


def lock_folder(backend: Backend) -> Path:
    assert backend.folder is not None
    return backend.folder / ".pulumi/locks/organization/p/dev"


def put_lock(backend: Backend, **fields: object) -> Path:
    lock_folder(backend).mkdir(parents=True, exist_ok=True)
    lock = {"pid": os.getpid(), "username": "ann", "hostname": socket.gethostname()}
    lock |= {"timestamp": "2026-11-23T18:50:54.88Z", **fields}
    path = lock_folder(backend) / "11111111-1111-4111-8111-111111111111.json"
    path.write_text(json.dumps(lock))
    return path


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_file_is_what_the_cli_writes_and_reads(backend: Backend) -> None:
    with lock_stack(backend) as held:
        assert held.taken == ()
        (path,) = lock_folder(backend).iterdir()
        lock = json.loads(path.read_text())
        assert {"pid", "username", "hostname", "timestamp"} <= lock.keys()
        assert lock["pid"] == os.getpid()
    assert list(lock_folder(backend).iterdir()) == []


def test_a_second_one_in_the_same_process_is_refused(backend: Backend) -> None:
    with (
        lock_stack(backend),
        pytest.raises(LockedError, match=f"pid {os.getpid()}"),
        lock_stack(backend),
    ):
        raise AssertionError
    with lock_stack(backend):
        pass


def test_the_clis_lock_is_honoured(backend: Backend) -> None:
    path = put_lock(backend)
    with pytest.raises(LockedError, match=r"(?s)ann@.*flowflare unlock"), lock_stack(backend):
        raise AssertionError
    assert path.exists()
    (removed,) = unlock(backend)
    assert removed.holder.username == "ann"
    assert not path.exists()


@pytest.mark.parametrize("engine", ["", "flowflare"])
def test_a_dead_holders_lock_is_taken_over(backend: Backend, engine: str) -> None:
    put_lock(backend, pid=dead_pid(), engine=engine)
    with lock_stack(backend) as held:
        assert [one.holder.username for one in held.taken] == ["ann"]


def test_our_own_lock_is_dead_even_if_its_pid_lives_again(backend: Backend) -> None:
    put_lock(backend, engine="flowflare")
    with lock_stack(backend) as held:
        assert len(held.taken) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}'])
def test_a_lock_that_cannot_be_read_counts(backend: Backend, text: str) -> None:
    put_lock(backend).write_text(text)
    assert len(read_locks(backend)) == 1
    with pytest.raises(LockedError), lock_stack(backend):
        raise AssertionError
    assert len(unlock(backend)) == 1


def test_a_lock_of_another_host_is_never_taken_over(backend: Backend) -> None:
    put_lock(backend, pid=dead_pid(), hostname="elsewhere", engine="flowflare")
    with pytest.raises(LockedError, match="ann@elsewhere"), lock_stack(backend):
        raise AssertionError
