"""The commands of docs/how-to/deploy.md exist, as far as this can be checked without an account."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer

from flowflare.cli.app import app
from flowflare.engine.pulumi_cli.account_checks import PERMISSIONS, ROUTES
from flowflare.engine.pulumi_cli.download import RELEASE
from flowflare.engine.pulumi_cli.versions import PULUMI_VERSION
from tests.support.tiers import keep_every

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/deploy.md").read_text("utf-8")
BLOCKS = re.findall(r"```shell\n(.*?)```", PAGE, re.DOTALL)
ASSIGNMENTS = re.compile(r"export( [A-Z_]+=\S+)+")


def commands(program: str) -> list[list[str]]:
    """List every call of a program, alone or inside another command."""
    lines = [line for block in BLOCKS for line in block.splitlines()]
    called = re.compile(rf"\b{program} [^|)>]+")
    # Lines with `export` only set variables.
    runs = [line for line in lines if not line.startswith(("export", "mkdir"))]
    return [shlex.split(call) for line in runs for call in called.findall(line)]


def command_named(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that the words name, and the remaining words."""
    found: Any = typer.main.get_command(app)
    while words and hasattr(found, "commands") and words[0] in found.commands:
        found, words = found.commands[words[0]], words[1:]
    return found, words


@pytest.mark.parametrize("words", commands("flowflare"), ids=" ".join)
def test_a_flowflare_command_has_these_options(words: list[str]) -> None:
    command, rest = command_named(words[1:])
    assert not hasattr(command, "commands"), f"{words} does not name a command"
    known = {option for parameter in command.params for option in parameter.opts}
    assert not [word for word in rest if word.startswith("-") and word not in known]
    context = command.make_context(words[1], list(rest), resilient_parsing=True)
    assert context.params.get("stack", "dev") in {"dev", "prod"}


@pytest.mark.pulumi_cli
@pytest.mark.parametrize("words", keep_every(4, commands("pulumi")), ids=" ".join)
def test_a_pulumi_command_has_these_options(words: list[str]) -> None:
    plain = [word for word in words if word in {"stack", "init", "rm", "refresh", "import", "up"}]
    done = subprocess.run(["pulumi", *plain, "--help"], capture_output=True, text=True, check=True)
    assert not [word for word in words if word.startswith("--") and word not in done.stdout]


def test_the_page_names_the_pinned_version_and_both_kinds_of_commands() -> None:
    assert f"({PULUMI_VERSION};" in PAGE
    assert len(commands("flowflare")) > 15
    assert len(commands("pulumi")) > 4


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_is_a_script_that_a_shell_can_read(block: str) -> None:
    shell = ["/bin/sh", "-n"]
    done = subprocess.run(shell, input=block, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    exports = [line for line in block.splitlines() if line.startswith("export")]
    assert all(ASSIGNMENTS.fullmatch(line) for line in exports)


def test_every_export_is_one_that_something_reads() -> None:
    named = set(re.findall(r"\b([A-Z_]+)=", "\n".join(BLOCKS)))
    assert named == {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "CLOUDFLARE_API_TOKEN",
        "PULUMI_BACKEND_URL",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
    }


def test_the_page_says_where_the_cli_comes_from() -> None:
    """The code downloads a release from GitHub and checks its checksum; it runs no script."""
    assert urlsplit(RELEASE).hostname == "github.com"
    assert "SHA-256 in the release's checksum file" in " ".join(PAGE.split())
    assert "get.pulumi.com" not in PAGE


def test_ci_installs_the_cli_before_it_needs_it_and_keeps_pull_requests_out() -> None:
    section = PAGE.split("## In CI")[1].split("## ")[0]
    [block] = re.findall(r"```shell\n(.*?)```", section, re.DOTALL)
    first, *others = [line for line in block.splitlines() if line.startswith("flowflare")]
    assert first == "flowflare doctor --stack prod --install"
    assert [line.split()[1] for line in others] == ["preview", "up"]
    # Another command makes the plan of a pull request, and needs no secrets.
    assert "[without credentials](pull-requests.md)" in section
    assert "On each pull request" not in section


def test_the_permissions_are_those_that_doctor_looks_for() -> None:
    rows = re.findall(r"^\| ((?:Account|Zone), [^|]+?) \|", PAGE, re.MULTILINE)
    optional = "Account, Account Settings, Read"
    assert sorted(rows) == sorted(
        [*(permission for permission, _, _ in PERMISSIONS), ROUTES[0], optional]
    )
