"""A stack runs on the embedded engine and on the real Pulumi CLI in turn, without any change.

Passes with CLI 3.274.1.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.engine.projects import Sample, Things, list_changes
from tests.support.pulumi_cli import cli_environ

PROGRAM = """
    import pulumi
    from things import Thing
    class Service(pulumi.ComponentResource):
        def __init__(self, name, size):
            super().__init__("test:index:Service", name, {"size": size})
            opts = pulumi.ResourceOptions(parent=self)
            self.token = Thing("inner", pulumi.Output.secret("one"), opts=opts).token
            self.register_outputs({"token": self.token})
    service = Service("service", 3)
    z = Thing("z", service.token, kind="a", opts=pulumi.ResourceOptions(depends_on=[service]))
    Thing("w", z.id)
    pulumi.export("token", service.token)
    pulumi.export("number", 5)
"""


@pytest.mark.long
@pytest.mark.pulumi_cli
def test_both_engines_continue_each_others_state(
    thing_sample: Sample, world: Things, tmp_path: Path
) -> None:
    environ = {
        **os.environ,
        **thing_sample.environ,
        **cli_environ(tmp_path, f"file://{thing_sample.root}/.flowflare/state"),
        "PYTHONPATH": str(thing_sample.root / "infra"),
    }

    def pulumi(*words: str) -> str:
        command = ["pulumi", *words, "--stack", "organization/p/dev", "--non-interactive"]
        run = subprocess.run(
            command, cwd=thing_sample.root, env=environ, check=False, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    thing_sample.write_program(PROGRAM).up()
    assert "token-of-inner-a" in pulumi("stack", "output", "--show-secrets")
    pulumi("preview", "--expect-no-changes")
    pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert list_changes(thing_sample.preview()) == {}

    thing_sample.write_program(PROGRAM.replace('kind="a"', 'kind="b"'))
    assert list_changes(thing_sample.up()) == {"z": "replace", "w": "update"}
    pulumi("preview", "--expect-no-changes")

    thing_sample.write_program(PROGRAM.replace('kind="a"', 'kind="c"'))
    pulumi("up", "--yes", "--skip-preview")
    assert world.list_ids() == ["inner-a", "w-a", "z-c"]
    assert list_changes(thing_sample.preview()) == {}
    assert thing_sample.up().changed == 0
    pulumi("destroy", "--yes", "--skip-preview")
    assert world.list_ids() == []
    assert list_changes(thing_sample.up()) == dict.fromkeys(
        ["inner", "service", "w", "z"], "create"
    )
