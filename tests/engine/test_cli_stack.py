"""Stacks of the real Pulumi CLI, driven by us: passed with CLI 3.274.1."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowflare.config.files import read_project
from flowflare.engine.pulumi_cli.adopt import Found, pending_creations, settle_creations
from flowflare.engine.pulumi_cli.recorded import recorded_plan
from flowflare.engine.pulumi_cli.stack import CliStack
from flowflare.errors import LockedError, ProgramError, ProtectedError, StateError, UpdateFailed
from flowflare.values.events import Event
from tests.engine.killing import kill_tree
from tests.engine.projects import Sample, World, changed, ops
from tests.support.pulumi_cli import cli_environ
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.pulumi_cli
PROGRAM = """
    import pulumi
    from things import Thing
    z = Thing("z", pulumi.Output.secret("one"), kind="a")
    Thing("w", z.id)
    pulumi.export("token", z.token)
    pulumi.export("number", 5)
"""
SLOW = """
    import time
    from pathlib import Path
    import pulumi
    import things
    class SlowProvider(things.ThingProvider):
        def create(self, props):
            (self.world / "log").write_text("begun")
            time.sleep(60)
    class Slow(pulumi.dynamic.Resource, module="test", name="Thing"):
        def __init__(self, name):
            super().__init__(SlowProvider(), name, {"name": name, "kind": "a", "value": "1"})
    Slow("slow")
"""


@dataclass
class Real:
    """A project whose stack `dev` the CLI keeps."""

    sample: Sample
    environ: dict[str, str]

    def open(self) -> CliStack:
        return CliStack(read_project(self.sample.root, "dev"), environ=self.environ)

    def program(self, text: str) -> CliStack:
        self.sample.program(text)
        return self.open()

    def pulumi(self, *words: str) -> str:
        command = ["pulumi", *words, "--stack", "organization/p/dev", "--non-interactive"]
        done = subprocess.run(
            command,
            cwd=self.sample.root,
            env=self.environ,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def real(thing_sample: Sample, tmp_path: Path) -> Real:
    environ = {
        **os.environ,
        **thing_sample.environ,
        **cli_environ(tmp_path),
        "PYTHONPATH": str(thing_sample.root / "infra"),
    }
    made = Real(thing_sample, environ)
    made.pulumi("stack", "init")
    return made


@pytest.mark.long
def test_it_is_previewed_brought_up_left_alone_and_destroyed(real: Real, world: World) -> None:
    stack = real.program(PROGRAM)
    assert changed(stack.preview()) == {"z": "create", "w": "create"}
    assert world.ids() == []
    events: list[Event] = []
    update = stack.up(events.append)
    assert update.outputs == {"number": 5, "token": "[secret]"}
    assert [event.kind for event in events] == ["started", "done"] * 2
    assert world.ids() == ["w-a", "z-a"]
    assert stack.outputs(show_secrets=True) == {"number": 5, "token": "token-of-z-a"}
    assert stack.up().changed == 0
    assert ops(recorded_plan(stack.project, real.environ)) == {"z": "same", "w": "same"}
    real.pulumi("preview", "--expect-no-changes")

    plan = real.program(PROGRAM.replace('"a"', '"b"')).preview()
    assert changed(plan) == {"z": "replace", "w": "update"}
    assert not stack.is_empty()
    assert changed(stack.plan_destroy()) == {"z": "delete", "w": "delete"}
    stack.destroy()
    assert world.ids() == []
    assert stack.is_empty()


def test_a_preview_runs_the_program_once_and_tells_each_item_of_a_list_with_a_secret(
    real: Real, capfd: pytest.CaptureFixture[str]
) -> None:
    """As in a process of the CLI's: its folder is the working folder, what it prints is told."""
    program = """
        import os
        import pulumi
        from things import Thing
        with open("../runs", "a") as runs:
            runs.write(os.environ["PULUMI_CONFIG_PASSPHRASE"] + "\\n")
        print("one line")
        hidden = {"name": "a", "text": pulumi.Output.secret("hidden")}
        Thing("z", [hidden, {"name": "b", "text": "old"}])
    """
    real.program(program).up()
    (real.sample.root / "runs").unlink()
    events: list[Event] = []
    plan = real.program(program.replace("old", "new")).preview(events.append)
    assert (real.sample.root / "runs").read_text() == "correct horse\n"
    assert [event.message for event in events if event.kind == "note"] == ["one line"]
    [step] = [step for step in plan.steps if step.name == "z"]
    assert [(one.path, one.new) for one in step.changes] == [('value["b"].text', "new")]
    assert "hidden" not in repr(plan)
    assert capfd.readouterr() == ("", "")
    assert Path.cwd() != real.sample.root / "infra"
    assert "PULUMI_CONFIG_PASSPHRASE" not in os.environ


@pytest.mark.long
def test_ctrl_c_ends_a_preview_whose_program_hangs(real: Real) -> None:
    real.program("""
        import threading
        from pathlib import Path
        Path("../begun").touch()
        threading.Event().wait()
    """)
    # A runner in the background ignores Ctrl-C, and what it starts inherits that.
    code = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    code += "os.execv(sys.argv[1], sys.argv[1:])"
    flowflare = str(Path(sys.executable).parent / "flowflare")
    command = [sys.executable, "-c", code, flowflare, "preview", "--stack", "dev"]
    with subprocess.Popen(
        command,
        cwd=real.sample.root,
        env=real.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        wait_until((real.sample.root / "begun").exists)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert b"Traceback" not in said


@pytest.mark.long
def test_failures_are_ours(real: Real, world: World) -> None:
    real.program(PROGRAM).up()
    with pytest.raises(UpdateFailed, match=r"z \(.*Thing\): z-a blew up"):
        real.program(PROGRAM.replace('pulumi.Output.secret("one")', '"boom"')).up()
    with pytest.raises(ProgramError, match=r"__main__.py:2: ZeroDivisionError"):
        real.program("\n1 / 0").preview()
    held = PROGRAM.replace('kind="a"', 'kind="a", opts=pulumi.ResourceOptions(protect=True)')
    real.program(held).up()
    with pytest.raises(ProtectedError, match="--lose-data z"):
        real.open().destroy()
    assert world.ids() == ["w-a", "z-a"]
    real.open().destroy(lose_data=["z"])
    real.pulumi("stack", "rm", "--yes", "--preserve-config")
    with pytest.raises(StateError, match="stack dev does not exist"):
        real.open().up()


@pytest.mark.long
def test_a_killed_run_is_unlocked_settled_and_run_again(real: Real, world: World) -> None:
    killed_while_creating(real, world)
    with pytest.raises(LockedError, match="flowflare unlock --stack dev"):
        real.program(PROGRAM).up()
    real.open().unlock()
    events: list[Event] = []
    real.open().up(events.append)
    assert "slow: an interrupted run had begun to make it and left nothing" in events[0].message
    assert real.open().read().pending == ()
    assert world.ids() == ["w-a", "z-a"]


@pytest.mark.long
def test_what_a_killed_run_made_is_imported_and_then_the_same(real: Real, world: World) -> None:
    killed_while_creating(real, world)
    real.open().unlock()
    exported = json.loads(real.pulumi("stack", "export"))
    [pending] = pending_creations(exported["deployment"])
    found = {pending["urn"]: Found("slow-a", {"token": "t", "size": 5})}
    (world.folder / "slow-a").write_text("1")
    import_(real, {**exported, "deployment": settle_creations(exported["deployment"], found)})
    assert changed(real.program(SLOW).preview()) == {}
    real.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    real.open().destroy()
    assert world.ids() == []


@pytest.mark.long
def test_embedded_state_is_imported_exported_and_read_the_same(real: Real, world: World) -> None:
    real.sample.program(PROGRAM).up()
    import_(real, {"version": 3, "deployment": real.sample.latest()})
    real.pulumi("preview", "--expect-no-changes")
    ours = {one.urn: one.outputs for one in real.sample.open().read().resources}
    theirs = {one.urn: one.outputs for one in real.open().read().resources}
    assert ours == theirs
    assert "token-of-z-a" not in real.pulumi("stack", "export")


def import_(real: Real, exported: dict[str, Any]) -> None:
    file = real.sample.root / "imported.json"
    file.write_text(json.dumps(exported))
    real.pulumi("stack", "import", "--file", str(file))


def killed_while_creating(real: Real, world: World) -> None:
    """Kills the CLI, and all that it started, while a dynamic resource is being made."""
    real.sample.program(SLOW)
    command = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "dev", "--non-interactive"]
    with subprocess.Popen(
        command,
        cwd=real.sample.root,
        env=real.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until((world.folder / "log").exists)
        kill_tree(process.pid)
    (world.folder / "log").unlink()
