"""The token of a project's embedded Cloudflare: printed for clients, read by the engine."""

import json
import os
import shlex
from pathlib import Path

from flowflare.config.files import FORMER_TOKEN, read_project
from flowflare.emulator import pidfile
from flowflare.emulator.api_token import ensure_token
from flowflare.engine.access import find_token, make_stack_environment
from tests.cli.command import flowflare


def write_emulator_files(root: Path) -> str:
    """Write the data folder of a running emulator with this process's ID; return the token."""
    data = root / ".flowflare/emulator"
    data.mkdir(parents=True)
    pidfile.write(data, os.getpid(), read_port(root))
    return ensure_token(data)


def read_port(root: Path) -> int:
    return int(read_project(root, "local").values["cloudflare:baseUrl"].text.split(":")[2][:-10])


def test_env_prints_the_variables_of_clients(root: Path) -> None:
    own, port = write_emulator_files(root), read_port(root)
    url = f"http://127.0.0.1:{port}/client/v4"
    environment = {
        "CLOUDFLARE_BASE_URL": url,
        "CLOUDFLARE_API_BASE_URL": url,
        "CLOUDFLARE_API_TOKEN": own,
        "CLOUDFLARE_ACCOUNT_ID": "f10f1a4e" * 4,
    }
    said = flowflare("emulator", "env", "--json", "--cwd", str(root))
    assert json.loads(said.out) == {
        "url": url,
        "token": own,
        "account": environment["CLOUDFLARE_ACCOUNT_ID"],
        "environment": environment,
    }
    lines = flowflare("emulator", "env", "--cwd", str(root)).out.splitlines()
    assert [shlex.split(line)[1] for line in lines] == [
        f"{name}={value}" for name, value in environment.items()
    ]


def test_env_needs_a_running_emulator(root: Path) -> None:
    said = flowflare("emulator", "env", "--cwd", str(root))
    assert (said.code, said.out) == (1, "")
    assert "flowflare emulator start" in said.err


def test_the_engine_prefers_the_projects_token_to_that_of_the_environment(root: Path) -> None:
    real = {"CLOUDFLARE_API_TOKEN": "of-a-real-account"}
    project = read_project(root, "local")
    assert find_token(project, real) == "of-a-real-account"
    own = write_emulator_files(root)
    assert find_token(project, real) == own
    assert make_stack_environment(project, real)["CLOUDFLARE_API_TOKEN"] == own


def test_a_stack_with_another_api_never_gets_the_token(root: Path) -> None:
    write_emulator_files(root)
    file = root / "Pulumi.local.yaml"
    text = file.read_text().replace("  flowflare:engine: embedded\n", "")
    file.write_text(text.replace(f"http://127.0.0.1:{read_port(root)}", "https://api.example.com"))
    assert make_stack_environment(read_project(root, "local"), {}) == {}


def test_the_former_token_is_ignored_with_one_warning(root: Path) -> None:
    file = root / "Pulumi.local.yaml"
    file.write_text(f"{file.read_text()}  cloudflare:apiToken: {FORMER_TOKEN}\n")
    project = read_project(root, "local")
    assert "cloudflare:apiToken" not in project.values
    assert project.former_token is not None
    own = write_emulator_files(root)
    assert find_token(project, {}) == own
    said = flowflare("doctor", "--cwd", str(root))
    again = flowflare("doctor", "--cwd", str(root))
    line = f"Pulumi.local.yaml:{project.former_token.line}"
    assert said.err.count("warning: ") == 1
    assert f"warning: {line}: cloudflare:apiToken is the fixed token" in said.err
    assert "warning: " not in again.err
    assert f"{line}: the fixed token of earlier versions is ignored" in again.out
    assert own not in said.out + said.err
