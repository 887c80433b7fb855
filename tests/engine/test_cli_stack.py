"""Flowflare runs stacks of the real Pulumi CLI. Passes with CLI 3.274.1."""

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
from flowflare.engine.choice import choose
from flowflare.engine.pulumi_cli.adopt import Found, pending_creations, settle_creations
from flowflare.engine.pulumi_cli.recorded import recorded_plan
from flowflare.engine.pulumi_cli.stack import CliStack
from flowflare.errors import LockedError, ProgramError, ProtectedError, StateError, UpdateFailed
from flowflare.values.events import Event
from tests.engine.killing import kill_tree
from tests.engine.projects import Sample, Things, list_changes, list_ops
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
class CliProject:
    """A project whose stack `dev` belongs to the CLI."""

    sample: Sample
    environ: dict[str, str]

    def open(self) -> CliStack:
        return CliStack(read_project(self.sample.root, "dev"), environ=self.environ)

    def write_program(self, text: str) -> CliStack:
        self.sample.write_program(text)
        return self.open()

    def pulumi(self, *words: str) -> str:
        command = ["pulumi", *words, "--stack", "organization/p/dev", "--non-interactive"]
        run = subprocess.run(
            command,
            cwd=self.sample.root,
            env=self.environ,
            check=False,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout


@pytest.fixture
def real(thing_sample: Sample, tmp_path: Path) -> CliProject:
    environ = {
        **os.environ,
        **thing_sample.environ,
        **cli_environ(tmp_path),
        "PYTHONPATH": str(thing_sample.root / "infra"),
    }
    project = CliProject(thing_sample, environ)
    project.pulumi("stack", "init")
    return project


@pytest.mark.long
def test_a_stack_is_previewed_created_left_unchanged_and_destroyed(
    real: CliProject, world: Things
) -> None:
    stack = real.write_program(PROGRAM)
    assert list_changes(stack.preview()) == {"z": "create", "w": "create"}
    assert world.list_ids() == []
    events: list[Event] = []
    update = stack.up(events.append)
    assert update.outputs == {"number": 5, "token": "[secret]"}
    assert [event.kind for event in events] == ["started", "done"] * 2
    assert world.list_ids() == ["w-a", "z-a"]
    assert stack.outputs(show_secrets=True) == {"number": 5, "token": "token-of-z-a"}
    assert stack.up().changed == 0
    assert list_ops(recorded_plan(stack.project, real.environ)) == {"z": "same", "w": "same"}
    real.pulumi("preview", "--expect-no-changes")

    plan = real.write_program(PROGRAM.replace('"a"', '"b"')).preview()
    assert list_changes(plan) == {"z": "replace", "w": "update"}
    assert not stack.is_empty()
    assert list_changes(stack.plan_destroy()) == {"z": "delete", "w": "delete"}
    stack.destroy()
    assert world.list_ids() == []
    assert stack.is_empty()


def test_a_preview_runs_the_program_once_and_shows_each_item_of_a_list_with_a_secret(
    real: CliProject, capfd: pytest.CaptureFixture[str]
) -> None:
    """As in the CLI, the program's folder is the working folder and its output is shown."""
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
    real.write_program(program).up()
    (real.sample.root / "runs").unlink()
    events: list[Event] = []
    plan = real.write_program(program.replace("old", "new")).preview(events.append)
    assert (real.sample.root / "runs").read_text() == "correct horse\n"
    assert [event.message for event in events if event.kind == "note"] == ["one line"]
    [step] = [step for step in plan.steps if step.name == "z"]
    assert [(change.path, change.new) for change in step.changes] == [('value["b"].text', "new")]
    assert "hidden" not in repr(plan)
    assert capfd.readouterr() == ("", "")
    assert Path.cwd() != real.sample.root / "infra"
    assert "PULUMI_CONFIG_PASSPHRASE" not in os.environ


@pytest.mark.long
def test_ctrl_c_ends_a_preview_whose_program_hangs(real: CliProject) -> None:
    real.write_program("""
        import threading
        from pathlib import Path
        Path("../begun").touch()
        threading.Event().wait()
    """)
    # A runner in the background ignores SIGINT, and its child processes inherit that.
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
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert b"Traceback" not in errors


@pytest.mark.long
def test_failures_raise_flowflares_errors(real: CliProject, world: Things) -> None:
    real.write_program(PROGRAM).up()
    with pytest.raises(UpdateFailed, match=r"z \(.*Thing\): z-a blew up"):
        real.write_program(PROGRAM.replace('pulumi.Output.secret("one")', '"boom"')).up()
    with pytest.raises(ProgramError, match=r"__main__.py:2: ZeroDivisionError"):
        real.write_program("\n1 / 0").preview()
    protected = PROGRAM.replace('kind="a"', 'kind="a", opts=pulumi.ResourceOptions(protect=True)')
    real.write_program(protected).up()
    with pytest.raises(ProtectedError, match="--lose-data z"):
        real.open().destroy()
    assert world.list_ids() == ["w-a", "z-a"]
    real.open().destroy(lose_data=["z"])
    real.pulumi("stack", "rm", "--yes", "--preserve-config")
    with pytest.raises(StateError, match="stack dev does not exist"):
        real.open().up()


@pytest.mark.long
def test_a_killed_run_is_unlocked_settled_and_repeated(real: CliProject, world: Things) -> None:
    kill_while_creating(real, world)
    with pytest.raises(LockedError, match="flowflare unlock --stack dev"):
        real.write_program(PROGRAM).up()
    real.open().unlock()
    events: list[Event] = []
    real.open().up(events.append)
    assert "slow: an interrupted run began to create it, but it does not exist" in events[0].message
    assert real.open().read().pending == ()
    assert world.list_ids() == ["w-a", "z-a"]


@pytest.mark.long
def test_a_resource_that_a_killed_run_created_is_imported_without_changes(
    real: CliProject, world: Things
) -> None:
    kill_while_creating(real, world)
    real.open().unlock()
    exported = json.loads(real.pulumi("stack", "export"))
    [pending] = pending_creations(exported["deployment"])
    found = {pending["urn"]: Found("slow-a", {"token": "t", "size": 5})}
    (world.folder / "slow-a").write_text("1")
    import_state(real, {**exported, "deployment": settle_creations(exported["deployment"], found)})
    assert list_changes(real.write_program(SLOW).preview()) == {}
    real.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    real.open().destroy()
    assert world.list_ids() == []


@pytest.mark.long
def test_embedded_state_reads_the_same_after_its_import_into_the_cli(
    real: CliProject, world: Things
) -> None:
    real.sample.write_program(PROGRAM).up()
    import_state(real, {"version": 3, "deployment": real.sample.read_latest()})
    real.pulumi("preview", "--expect-no-changes")
    ours = {each.urn: each.outputs for each in real.sample.open().read().resources}
    theirs = {each.urn: each.outputs for each in real.open().read().resources}
    assert ours == theirs
    assert "token-of-z-a" not in real.pulumi("stack", "export")


def import_state(real: CliProject, exported: dict[str, Any]) -> None:
    file = real.sample.root / "imported.json"
    file.write_text(json.dumps(exported))
    real.pulumi("stack", "import", "--file", str(file))


def kill_while_creating(real: CliProject, world: Things) -> None:
    """Kill the CLI and all its child processes while it creates a dynamic resource."""
    real.sample.write_program(SLOW)
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


@pytest.mark.long
def test_a_refresh_and_the_options_of_an_up_are_those_of_the_cli(
    real: CliProject, world: Things
) -> None:
    stack = real.write_program(PROGRAM)
    stack.up()
    (world.folder / "w-a").unlink()
    assert list_changes(stack.refresh()) == {"w": "delete"}
    (world.folder / "z-a").unlink()
    plan = stack.preview()
    chosen = choose(plan.steps, refresh=True, targets=["z"], replaced=[])
    assert list_changes(stack.up(choice=chosen)) == {"z": "create"}
    assert world.list_ids() == ["z-a"], "w is not a target"
    stack.up()
    world.take_log()
    chosen = choose(stack.preview().steps, refresh=False, targets=[], replaced=["w"])
    assert list_changes(stack.up(choice=chosen)) == {"w": "replace"}
