"""A value is encrypted as the stack's secrets provider does it, on both engines."""

import subprocess
from pathlib import Path

import pytest

from flowflare.config.files import Project, read_project
from flowflare.engine.configuration import open_vault
from flowflare.engine.sealing import seal_text
from flowflare.errors import SecretError
from tests.engine.projects import make_sample
from tests.support.pulumi_cli import cli_environ

ENVIRON = {"PULUMI_CONFIG_PASSPHRASE": "first"}
PROGRAM = "import pulumi\n"


def open_project(root: Path, text: str) -> Project:
    sample = make_sample(root / "shop", PROGRAM)
    (sample.root / "Pulumi.dev.yaml").write_text(text)
    return read_project(sample.root, "dev")


def test_the_first_secret_of_an_embedded_stack_makes_its_salt(tmp_path: Path) -> None:
    text = "config:\n  flowflare:engine: embedded\n"
    project = open_project(tmp_path, text)
    sealed = seal_text(project, ENVIRON, "s3cret")
    salt = sealed.header["encryptionsalt"]
    project.stack_file.write_text(f"{text}encryptionsalt: {salt}\n")
    again = read_project(project.root, "dev")
    assert open_vault(again, ENVIRON).open_text(sealed.secure) == "s3cret"

    more = seal_text(again, ENVIRON, "another")
    assert more.header == {}
    assert open_vault(again, ENVIRON).open_text(more.secure) == "another"
    with pytest.raises(SecretError, match="does not decrypt this stack's secrets"):
        seal_text(again, {"PULUMI_CONFIG_PASSPHRASE": "other"}, "s3cret")


@pytest.mark.pulumi_cli
def test_a_stack_of_the_cli_without_a_salt_gets_that_of_the_cli(tmp_path: Path) -> None:
    text = "# The shop.\nconfig: {}\n"
    project = open_project(tmp_path, text)
    environ = cli_environ(tmp_path) | ENVIRON
    command = ["pulumi", "stack", "init", "dev", "--no-select", "--non-interactive"]
    subprocess.run(command, cwd=project.root, env=environ, check=True, capture_output=True)
    project.stack_file.write_text(text)

    sealed = seal_text(read_project(project.root, "dev"), environ, "two\nlines")
    assert project.stack_file.read_text() == text, "the CLI writes into a file of its own"
    lines = [f"{key}: {value}\n" for key, value in sealed.header.items()]
    key = "  flowflare:key:\n    secure: "
    project.stack_file.write_text(f"{''.join(lines)}config:\n{key}{sealed.secure}\n")
    got = subprocess.run(
        ["pulumi", "config", "get", "flowflare:key", "--stack", "dev", "--non-interactive"],
        cwd=project.root,
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    assert got.stdout == "two\nlines\n"
