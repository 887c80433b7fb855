"""Ctrl-C in the middle of `up`: it says what it waits for, and the next run goes on."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Project
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def test_up_stops_after_the_step_that_runs(project: Project) -> None:
    command = [str(Path(sys.executable).parent / "flowflare"), "up"]
    pipe = subprocess.PIPE
    with (
        project.account.fault({"kind": "hold"}, method="POST", nth=1) as fault,
        subprocess.Popen(command, cwd=project.root, stdout=pipe, stderr=pipe, text=True) as process,
    ):
        assert process.stderr is not None
        wait_until(fault.fired, process=process)
        process.send_signal(signal.SIGINT)
        said = ""
        while "Stopping after the current step" not in said:
            said += (line := process.stderr.readline())
            assert line, said
        fault.release()
        said += process.stderr.read()

    assert process.returncode == 130
    assert "Traceback" not in said
    assert project.account.databases() == ["local-flowflare-db"]
    assert project.stack().up().changed == 10
