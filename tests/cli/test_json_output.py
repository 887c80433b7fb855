"""With `--json`, standard output only has JSON, whatever the program prints."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from flowflare.cli.answer_stream import open_answer_stream
from flowflare.cli.app import app
from tests.support.pulumi_cli import cli_environ

TALK = """
import atexit, os, subprocess, sys
import pulumi
from pulumi.dynamic import CheckResult, Resource, ResourceProvider

pulumi.log.info("logged as information")
pulumi.log.warn("logged as a warning")
print("printed by Python")
sys.stdout.buffer.write(b"printed as bytes\\n")
os.write(1, b"written to the descriptor\\n")
subprocess.run(["sh", "-c", "echo printed by a child"], check=True)
# The filter holds back a last part with which a secret may begin; no secret begins with a dot.
print("unflushed.", end="")
atexit.register(lambda: print("printed at the end"))

class Provider(ResourceProvider):
    def check(self, _olds, news):
        os.write(1, b"written by a provider\\n")
        return CheckResult(news, [])

class Page(Resource):
    pass

Page(Provider(), "page", {})
"""
SAID = (
    "printed by Python",
    "printed as bytes",
    "written to the descriptor",
    "printed by a child",
    "unflushed.",
    "printed at the end",
    "written by a provider",
)


MESSAGES = ("  info: logged as information\n", "  warning: logged as a warning\n")


def talk(root: Path) -> None:
    program = root / "infra/__main__.py"
    program.write_text(program.read_text() + TALK)


def preview(root: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "flowflare"), "preview", *words]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False, env=os.environ | environ
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_json_preview_only_prints_json_on_the_embedded_engine(root: Path) -> None:
    talk(root)
    done = preview(root, "--json")
    assert json.loads(done.stdout)["project"] == "shop"
    assert [text for text in SAID if text not in done.stderr] == []


def test_a_text_preview_shows_the_output_of_the_program(root: Path) -> None:
    talk(root)
    done = preview(root)
    assert [text for text in SAID if text not in done.stdout] == []
    assert [text for text in MESSAGES if text not in done.stderr] == []


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_a_json_preview_only_prints_json_by_the_pulumi_cli(root: Path, tmp_path: Path) -> None:
    talk(root)
    file = root / "Pulumi.local.yaml"
    file.write_text(file.read_text().replace("flowflare:engine: embedded", ""))
    environ = {**cli_environ(tmp_path), "PULUMI_CONFIG_PASSPHRASE": "a phrase"}
    command = ["pulumi", "stack", "init", "organization/shop/local", "--non-interactive"]
    subprocess.run(command, cwd=root, env=os.environ | environ, check=True)

    done = preview(root, "--json", **environ)
    assert json.loads(done.stdout)["project"] == "shop"
    written = ("info: printed by Python", "written to the descriptor", "printed by a child")
    assert [text for text in (*written, *MESSAGES) if text not in done.stderr] == []


def test_parsing_a_command_does_not_change_standard_output() -> None:
    before = sys.stdout
    commands = typer.main.get_command(app)
    assert isinstance(commands, typer.core.TyperGroup)
    assert commands.commands["preview"].make_context("preview", ["--json"]).params["json"]
    assert (sys.stdout, open_answer_stream()) == (before, before)
