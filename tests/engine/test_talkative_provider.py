"""What a provider or a program prints, logs, warns of or raises shows no secret of the run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.projects import Sample
from tests.engine.test_secrets import open_vault
from tests.support.pulumi_cli import cli_environ

ROOT = Path(__file__).parents[2]
#: `when` names the method that raises.
PROVIDER = """
import logging, os, subprocess, sys, warnings
import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult
from pulumi.dynamic import Resource, ResourceProvider

def show(where, props):
    if where == props["quiet"]:
        return
    key = props["key"]
    print(f"{where} prints {key}")
    print(f"{where} prints to standard error {key}", file=sys.stderr)
    os.write(2, f"{where} writes {key}\\n".encode())
    subprocess.run(["echo", f"{where} starts echo {key}"])
    logging.getLogger("provider").error("%s logs %s", where, key)
    logging.getLogger("provider").warning("%s logs all %s", where, dict(props))
    warnings.warn(f"{where} warns of {key}")
    if props.get("when") == where:
        raise ValueError(f"{where} raises with {key}") from KeyError(key)

class Talker(ResourceProvider):
    def check(self, olds, news):
        show("check", news)
        return CheckResult(news, [])
    def diff(self, id, olds, news):
        show("diff", news)
        return DiffResult(changes=olds["n"] != news["n"])
    def create(self, props):
        show("create", props)
        return CreateResult("talker", props)
    def update(self, id, olds, news):
        show("update", news)
        return UpdateResult(news)
    def delete(self, id, props):
        show("delete", props)

class Talk(Resource):
    def __init__(self, name, key, n, when, quiet=""):
        super().__init__(Talker(), name, {"key": key, "n": n, "when": when, "quiet": quiet})

configured = pulumi.Config().require_secret("key")
"""


def talk(sample: Sample, n: int, when: str, quiet: str) -> Sample:
    lines = f"""
Talk("configured", configured, {n}, {when!r})
Talk("made", pulumi.Output.secret("made-canary"), {n}, {when!r}, {quiet!r})
def warn(key):
    import warnings
    warnings.warn("the program warns of " + key)
    pulumi.log.error("the program reports " + key) if {when!r} == "program" else None
configured.apply(warn)
"""
    return sample.write_program(PROVIDER + lines)


#: Runs a method of a sample, as a command runs it: only the error's own text is shown.
EMBEDDED = """
import sys
from pathlib import Path
from flowflare.errors import FlowflareError
from tests.engine.projects import PASSPHRASE, Sample

sample = Sample(Path(sys.argv[1]), {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE})
try:
    print(getattr(sample, sys.argv[2])())
except FlowflareError as error:
    print(error)
    sys.exit(1)
finally:
    print(sample.events)
"""
#: Runs a command.
CLI = "from flowflare.cli.main import main; main()"


class Runs:
    """Runs a stack whose program and provider talk, and keeps what they print."""

    def __init__(self, sample: Sample, environ: dict[str, str] | None = None) -> None:
        self.sample = sample
        self.environ = os.environ | sample.environ | (environ or {})
        self.has_cli = environ is not None
        self.text = ""
        stack_file = sample.root / "Pulumi.dev.yaml"
        stack = json.loads(stack_file.read_text())
        stack["config"]["p:key"] = {"secure": open_vault().seal_text("configured-canary")}
        stack_file.write_text(json.dumps(stack))

    def run(self, what: str, n: int, when: str = "", code: int = 0) -> None:
        # The Pulumi CLI stores a secret that a program makes when the resource's creation begins.
        talk(self.sample, n, when, quiet="check" if self.has_cli else "")
        words = ["-c", EMBEDDED, str(self.sample.root), what]
        if self.has_cli:
            words = ["-c", CLI, what, "--stack", "dev", "--cwd", str(self.sample.root)]
            words += ["--yes"] if what != "preview" else []
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        self.text += done.stdout + done.stderr
        assert done.returncode == code, done.stdout + done.stderr

    def look(self, *methods: str) -> None:
        assert "canary" not in self.text, self.text
        # The Pulumi CLI does not pass on everything that a provider writes before it ends.
        verbs = () if self.has_cli else ("prints to standard error", "logs", "warns of")
        for method in methods:
            for verb in ("prints", *verbs):
                assert f"{method} {verb} [secret]" in self.text, self.text
        assert "the program warns of [secret]" in self.text


def test_a_provider_that_fails_shows_no_secret(thing_sample: Sample) -> None:
    runs = Runs(thing_sample)
    runs.run("up", 1, when="create", code=1)
    runs.look("create")
    assert "create raises with [secret]" in runs.text


def run_all(runs: Runs) -> None:
    runs.run("up", 1)
    runs.run("preview", 2)
    runs.run("up", 2)
    for when in ("check", "diff", "update"):
        runs.run("up", 3, when=when, code=1)
    # pulumi.log.error() fails an `up` of the Pulumi CLI only.
    runs.run("up", 3, when="program", code=int(runs.has_cli))
    runs.run("up", 4, when="delete")
    runs.run("destroy", 4, code=1)
    runs.look("check", "diff", "create", "update", "delete")


@pytest.mark.long
def test_no_method_of_a_provider_shows_a_secret(thing_sample: Sample) -> None:
    run_all(Runs(thing_sample))


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_no_method_of_a_provider_shows_a_secret_through_the_pulumi_cli(
    thing_sample: Sample, tmp_path: Path
) -> None:
    environ = cli_environ(tmp_path) | {"PYTHONPATH": str(thing_sample.root / "infra")}
    runs = Runs(thing_sample, environ)
    words = ["pulumi", "stack", "init", "organization/p/dev", "--non-interactive"]
    subprocess.run(words, cwd=thing_sample.root, env=runs.environ, check=True)
    run_all(runs)
