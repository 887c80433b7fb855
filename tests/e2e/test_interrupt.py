"""After SIGINT, `up` completes its current step and the next run continues."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Project
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def test_up_stops_after_the_current_step_and_the_next_run_continues(project: Project) -> None:
    command = [str(Path(sys.executable).parent / "flowflare"), "up"]
    pipe = subprocess.PIPE
    with (
        project.account.inject_fault({"kind": "hold"}, method="POST", nth=1) as fault,
        subprocess.Popen(command, cwd=project.root, stdout=pipe, stderr=pipe, text=True) as process,
    ):
        assert process.stderr is not None
        wait_until(fault.count_fired, process=process)
        process.send_signal(signal.SIGINT)
        output = ""
        while "Stopping after the current step" not in output:
            output += (line := process.stderr.readline())
            assert line, output
        fault.release()
        output += process.stderr.read()

    assert process.returncode == 130
    assert "Traceback" not in output
    assert project.account.list_databases() == ["local-flowflare-db"]
    assert project.open_stack().up().changed == 10
