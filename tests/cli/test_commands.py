"""Common behaviour of all commands: help with an example, JSON, and colours on terminals only."""

import json
import os
import pty
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import flowflare
from tests.support.waiting import PATIENCE

PROGRAM = str(Path(sys.executable).parent / "flowflare")
COMMANDS = (
    *("init", "up", "preview", "destroy", "outputs", "render", "order", "unlock", "doctor"),
    *("docs", "schema"),
    *("secrets status", "secrets rotate"),
    *(f"emulator {word}" for word in ("start", "stop", "status", "logs")),
)
SLOW = ("pulumi", "cloudflare", "pydantic", "pulumi_cloudflare", "jinja2", "httpx", "starlette")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_it_does_and_shows_an_example(command: str) -> None:
    said = flowflare(*command.split(), "--help")
    assert said.code == 0
    assert f"Usage: flowflare {command}" in said.out
    assert "Example" in said.out
    assert f"flowflare {command}" in said.out.split("Example")[1]
    assert flowflare(*command.split(), "-h").out == said.out


def test_help_lists_every_command_and_where_to_start() -> None:
    said = flowflare("--help")
    assert "Start here:  flowflare init" in said.out
    assert not [word for word in (*COMMANDS[:8], "emulator") if f"\n  {word} " not in said.out]
    assert flowflare().code == 2, "without a command: help, and the exit code of wrong usage"


def test_help_answers_at_once_and_imports_nothing_slow() -> None:
    script = (
        "import sys\nfrom flowflare.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not set(SLOW) & set(done.stdout.splitlines()[-1].split())

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([PROGRAM, "--help"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert cpu < 1.0, "0.15 s of CPU on an idle machine; 0.5 s are promised"


def test_version() -> None:
    said = flowflare("--version")
    assert said.code == 0
    assert said.out[0].isdigit()


@pytest.mark.parametrize(
    "words",
    [["nope"], ["up", "--nope"], ["up", "extra"], ["emulator", "nope"], ["init"]],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_with_the_way_to_help(words: list[str]) -> None:
    said = flowflare(*words)
    assert said.code == 2
    assert "Try 'flowflare" in said.err
    assert "-h' for help." in said.err
    assert said.out == ""


def test_a_shell_gets_its_completion() -> None:
    # The command looks for a shell among its parent processes, so it is started from one.
    command = f"{PROGRAM} --show-completion || exit"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert "complete -o default -F _flowflare_completion flowflare" in said.stdout


@pytest.mark.parametrize(
    "words",
    [["preview"], ["render"], ["outputs"], ["emulator", "status"]],
    ids=" ".join,
)
def test_json_is_one_document_and_nothing_else(root: Path, words: list[str]) -> None:
    said = flowflare(*words, "--json", "--cwd", str(root))
    assert said.code == 0
    assert said.out.endswith(("}\n", "]\n"))
    json.loads(said.out)
    assert "\x1b" not in said.out + said.err


def test_json_of_an_error_leaves_standard_output_empty(root: Path) -> None:
    said = flowflare("preview", "--json", "--cwd", str(root), "-s", "nope")
    assert (said.code, said.out) == (1, "")


def test_colours_are_for_terminals_that_want_them(root: Path) -> None:
    words = ["outputs", "-s", "nope", "--cwd", str(root)]
    assert "\x1b" not in flowflare(*words).err
    assert "\x1b[31merror:" in on_a_terminal(words)
    assert "\x1b[31m" not in on_a_terminal(words, NO_COLOR="1")


def test_destroy_asks_for_the_stacks_name(root: Path) -> None:
    shown = on_a_terminal(["destroy", "--cwd", str(root)], typed="yes\n")
    assert "deletes the database of stack local" in shown
    assert "nothing was destroyed" in shown


def on_a_terminal(words: list[str], typed: str = "", **environment: str) -> str:
    """Run a command on its own terminal; return the terminal's text."""
    ours, theirs = pty.openpty()
    wanted = {"TERM": "xterm", "PATH": os.environ["PATH"], "COLUMNS": "100"} | environment
    process = subprocess.Popen(
        [PROGRAM, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=wanted
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # the other end is closed: Linux says EIO
        pass
    os.close(ours)
    assert process.wait(PATIENCE) == 1
    return shown.decode()
