"""Processes of a CLI end with the process that runs it, and those of a dead CLI are found."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowflare.engine.pulumi_cli.children import MARK, end_left_behind, mark_of, wrap_command
from flowflare.engine.pulumi_cli.command import Cli
from flowflare.engine.pulumi_cli.invocation import CommandFailedError, run_command
from flowflare.engine.pulumi_cli.stream import EventLog
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="both are Linux's ways")

# A CLI that leaves a file when it receives the signal to stop,
# and a plugin in a process group of its own.
CLI = """#!/bin/sh
setsid sleep 60 &
echo $! > "$HOME/plugin"
trap 'kill $(cat "$HOME/plugin"); echo stopped > "$HOME/stopped"; exit 0' INT
echo $$ > "$HOME/cli"
while :; do sleep 0.05; done
"""


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Path]:
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    # It must be called `pulumi`: processes are recognized by the name of their program.
    shutil.copy("/bin/sh", program)
    (tmp_path / "script").write_text(CLI)
    yield program
    for name in ("cli", "plugin"):
        if (tmp_path / name).exists() and alive(read(tmp_path / name)):
            os.kill(read(tmp_path / name), signal.SIGKILL)


def read(file: Path) -> int:
    wait_until(lambda: file.exists() and file.read_text().strip() != "")
    return int(file.read_text())


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def start(cli: Path, home: Path) -> "subprocess.Popen[bytes]":
    """A runner, which runs the CLI as a stack's workspace does."""
    code = (
        "import sys; from pathlib import Path\n"
        "from flowflare.engine.pulumi_cli.command import Cli\n"
        "from flowflare.engine.pulumi_cli.invocation import run_command\n"
        "environ = {'HOME': sys.argv[2], sys.argv[3]: sys.argv[4]}\n"
        "cli, home = Cli(Path(sys.argv[1]), None), Path(sys.argv[2])\n"
        "run_command(cli, ['script'], cwd=home, environ=environ)"
    )
    words = [str(cli), str(home), MARK, mark_of(home, "acme-prod")]
    return subprocess.Popen([sys.executable, "-c", code, *words])


def test_a_cli_whose_runner_is_killed_stops_in_order(cli: Path, tmp_path: Path) -> None:
    with start(cli, tmp_path) as runner:
        number, plugin = read(tmp_path / "cli"), read(tmp_path / "plugin")
        assert end_left_behind(mark_of(tmp_path, "acme-prod")) == []
        runner.kill()
    wait_until((tmp_path / "stopped").exists)
    wait_until(lambda: not alive(number) and not alive(plugin))


def test_what_a_killed_cli_leaves_is_ended_for_its_stack_alone(cli: Path, tmp_path: Path) -> None:
    with start(cli, tmp_path) as runner:
        number, plugin = read(tmp_path / "cli"), read(tmp_path / "plugin")
        os.kill(number, signal.SIGKILL)
        runner.wait(PATIENCE)
    assert alive(plugin)
    assert end_left_behind(mark_of(tmp_path, "acme-prod-2")) == []
    assert end_left_behind(mark_of(tmp_path / "bin")) == []
    assert plugin in end_left_behind(mark_of(tmp_path))  # and a `sleep`, if one ran just then
    wait_until(lambda: not alive(plugin))


def test_a_runner_that_is_gone_already_starts_nothing(tmp_path: Path) -> None:
    command = wrap_command("/bin/echo", ["here"])
    command[command.index(str(os.getpid()))] = "1"
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (130, b"")


def test_a_command_gets_its_words_and_environment_and_its_output_is_read(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.write_text(
        '#!/bin/sh\necho "$@"; echo "$PULUMI_AUTOMATION_API $X ${PATH%%:*}" >&2; exit "$CODE"\n'
    )
    program.chmod(0o755)
    cli, environ = Cli(program, (3, 260, 0)), {"X": "own", "PATH": os.defpath}
    done = run_command(cli, ["stack", "export"], cwd=tmp_path, environ={**environ, "CODE": "0"})
    assert done == "stack export --non-interactive"
    with pytest.raises(CommandFailedError) as failed:
        run_command(cli, ["up"], cwd=tmp_path, environ={**environ, "CODE": "7"})
    assert failed.value.stdout == "up --non-interactive"
    assert failed.value.stderr == f"true own {tmp_path}"


def test_events_are_read_while_the_command_runs(tmp_path: Path) -> None:
    """The command ends only after its first event was read."""
    program = tmp_path / "pulumi"
    event = '{"diagnosticEvent": {"message": "%s", "severity": "info"}}\\n'
    program.write_text(
        f"#!/bin/sh\nprintf '{event}' one > \"$2\"\n"
        f"until [ -e read ]; do sleep 0.05; done\nprintf '{event}' two >> \"$2\"\n"
    )
    program.chmod(0o755)
    messages = []
    with EventLog() as log:

        def read() -> None:
            for event in log.new_events():
                assert event.diagnostic_event is not None
                messages.append(event.diagnostic_event.message)
                (tmp_path / "read").touch()

        run_command(
            Cli(program, None),
            ["--event-log", log.path],
            cwd=tmp_path,
            environ={},
            inherited=log.descriptors,
            meanwhile=read,
        )
    assert messages == ["one", "two"]
