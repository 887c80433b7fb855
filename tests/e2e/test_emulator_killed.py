"""If the emulator is killed during `up`, the run reports it and the next run converges."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flowflare.emulator import process
from tests.cli.command import flowflare
from tests.e2e.conftest import Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


@pytest.fixture
def own_project(tmp_path: Path, cloudflare: Cloudflare) -> Iterator[Project]:
    """Create a project with its own emulator."""
    project = make_project(tmp_path / "shop", cloudflare)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}/client/v4"
    project.edit("Pulumi.local.yaml", cloudflare.base_url, address)
    data = project.root / ".flowflare/emulator"
    data.unlink()
    try:
        yield project
    finally:
        process.stop(data)


def test_a_killed_emulator_is_reported_and_the_next_up_converges(own_project: Project) -> None:
    root = str(own_project.root)
    data = own_project.root / ".flowflare/emulator"
    assert flowflare("emulator", "start", "--cwd", root).code == 0
    running = process.find_running(data)
    assert running is not None

    connection = Cloudflare(running)
    account = connection.open_account(own_project.account.identity)
    # The database exists, and the run waits for its first migration.
    rule = {"method": "POST", "pattern": "/query$", "nth": 1}
    with (
        contextlib.suppress(httpx.ConnectError),
        account.inject_fault({"kind": "hold"}, **rule) as fault,
    ):
        up = subprocess.Popen(
            [str(Path(sys.executable).parent / "flowflare"), "up"],
            cwd=own_project.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(fault.count_fired, process=up)
        os.kill(running.pid, signal.SIGKILL)
        os.waitpid(running.pid, 0)
    connection.close()
    out, err = up.communicate(timeout=PATIENCE)
    assert (up.returncode, out) == (1, "")
    assert "error: 1 resource failed, 9 skipped:\n  flowflare-service-migrations" in err
    assert "no answer from http://127.0.0.1:" in err
    assert "flowflare emulator start" in err
    assert "Traceback" not in err

    # The PID file names a dead process, then a process that got its PID later: this one.
    stale = json.loads((data / "emulator.json").read_text())
    for pid in (stale["pid"], os.getpid()):
        (data / "emulator.json").write_text(json.dumps(stale | {"pid": pid}))
        status = flowflare("emulator", "status", "--cwd", root, "--json")
        assert json.loads(status.out) == {"running": False}
    stopped = flowflare("emulator", "stop", "--cwd", root)
    assert (stopped.code, stopped.err) == (0, "No embedded Cloudflare runs.\n")
    (data / "emulator.json").write_text(json.dumps(stale | {"pid": os.getpid()}))

    assert flowflare("up", "--cwd", root).code == 0
    again = process.find_running(data)
    assert again is not None
    assert again.port == running.port
    connection = Cloudflare(again)
    account = connection.open_account(own_project.account.identity)
    assert account.list_databases() == ["local-flowflare-db"]
    connection.close()
    assert own_project.open_stack().up().changed == 0
