"""The emulator killed in the middle of `up`, and the process file that it leaves behind."""

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
def alone(tmp_path: Path, cloudflare: Cloudflare) -> Iterator[Project]:
    """A project that has its emulator for itself."""
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


def test_up_says_so_and_converges_when_it_is_run_again(alone: Project) -> None:
    root = str(alone.root)
    data = alone.root / ".flowflare/emulator"
    assert flowflare("emulator", "start", "--cwd", root).code == 0
    running = process.find_running(data)
    assert running is not None

    served = Cloudflare(running)
    account = served.account(alone.account.identity)
    # The database is there, and the run waits for its first migration.
    rule = {"method": "POST", "pattern": "/query$", "nth": 1}
    with contextlib.suppress(httpx.ConnectError), account.fault({"kind": "hold"}, **rule) as fault:
        up = subprocess.Popen(
            [str(Path(sys.executable).parent / "flowflare"), "up"],
            cwd=alone.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(fault.fired, process=up)
        os.kill(running.pid, signal.SIGKILL)
        os.waitpid(running.pid, 0)
    served.close()
    out, err = up.communicate(timeout=PATIENCE)
    assert (up.returncode, out) == (1, "")
    assert "error: 1 resource failed, 9 skipped:\n  flowflare-service-migrations" in err
    assert "no answer from http://127.0.0.1:" in err
    assert "flowflare emulator start" in err
    assert "Traceback" not in err

    # The file names a process that is dead, then one that has got its number: this one.
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
    served = Cloudflare(again)
    assert served.account(alone.account.identity).databases() == ["local-flowflare-db"]
    served.close()
    assert alone.stack().up().changed == 0
