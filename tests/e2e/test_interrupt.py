"""Ctrl-C in the middle of `up`: it says what it waits for, and the next run goes on."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def test_up_stops_after_the_step_that_runs(project: Project) -> None:
    command = [str(Path(sys.executable).parent / "flowflare"), "up"]
    pipe = subprocess.PIPE
    with (
        project.account.fault({"kind": "hold"}, method="POST", nth=1) as fault,
        subprocess.Popen(command, cwd=project.root, stdout=pipe, stderr=pipe, text=True) as process,
    ):
        while not fault.fired():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        fault.release()
        _, said = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Stopping after the step that runs" in said
    assert "Traceback" not in said
    assert project.account.databases() == ["local-flowflare-db"]
    assert project.stack().up().changed == 10
