"""No command prints or stores a secret in plain text, however a program shows it."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.canaries.search import Canaries
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.talking import make_talkative, plant_configuration
from tests.support.pulumi_cli import cli_environ

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
#: These lines must be shown, with their secrets replaced.
SHOWN = (
    "printed a given secret [secret]",
    "in pieces [secret]",
    "to standard error [secret]",
    "in bytes [secret]",
    "to a descriptor [secret]",
    "by a child [secret]",
    "logged [secret]",
    "reported as information [secret]",
    'reported as a warning {"key": "[secret]"}',
    "reported with a resource [secret]",
    "https://shop.example/?key=[secret]",
    "caught [secret]",
)


class Talk:
    """Run commands on a project and collect their output.

    Args:
        project: the project.
        environ: the environment of its commands.
        canaries: the secrets that the output must not contain.
    """

    def __init__(self, project: Project, environ: dict[str, str], canaries: Canaries) -> None:
        self.project = project
        self.environ = environ
        self.canaries = canaries
        self.outputs: list[tuple[str, str]] = []
        make_talkative(project.root, plain=True)

    def run(self, *words: str, code: int = 0, raises: str = "") -> str:
        """Run a command; return standard output, then standard error."""
        result = self.project.flowflare(*words, **self.environ, RAISES=raises)
        text = result.stdout + result.stderr
        assert result.returncode == code, text
        if "--json" in words and code == 0:
            json.loads(result.stdout)

        self.outputs.append((f"{' '.join(words)} {raises}", text))
        return text

    def hide_outputs(self) -> None:
        """Add the secrets that the stack generated to the canaries."""
        outputs = self.project.flowflare("outputs", "--json", "--show-secrets", **self.environ)
        self.canaries.hide("output", json.loads(outputs.stdout)["api_key"])

    def look(self) -> list[str]:
        """Search all output and the files of the project for canaries."""
        for command, text in self.outputs:
            self.canaries.look(command, text)
        self.canaries.look_below(
            self.project.root, but=(".flowflare/emulator", ".flowflare/state", "node_modules")
        )
        return self.canaries.seen


def configure(
    project: Project, canaries: Canaries, engine: str, more: Mapping[str, object]
) -> dict[str, str]:
    phrase = canaries.plant("passphrase")
    salt, config = plant_configuration(canaries, phrase)
    config |= {"flowflare:accountId": project.account.identity, "flowflare:protect": False}
    config |= {"flowflare:engine": engine, **more}
    document = {"encryptionsalt": salt, "config": config}
    (project.root / "Pulumi.local.yaml").write_text(json.dumps(document, indent=2))
    return {"PULUMI_CONFIG_PASSPHRASE": phrase, "SHOP_TOKEN": canaries.plant("variable")}


def run_commands(talk: Talk) -> None:
    error = talk.run("up", "--yes", code=1, raises="configuration")
    assert "raised with a given secret [secret]" in error
    error = talk.run("up", "--yes", code=1, raises="output")
    assert "raised with an output [secret]" in error
    output = talk.run("up", "--yes", "--json")
    missing = [text for text in SHOWN if text not in output]
    assert not missing, f"{missing} in {output}"
    assert "printed a resource's output [secret]" in output
    assert '"plain": "https://shop.example/?key=[secret]"' in output
    assert '"plain_given": {"[secret]": ' in " ".join(output.split()).replace("{ ", "{")
    talk.hide_outputs()
    for words in (["preview"], ["preview", "--json"]):
        output = talk.run(*words)
        missing = [text for text in SHOWN if text not in output]
        assert not missing, f"{missing} in {output}"
    assert '"plain": "https://shop.example/?key=[secret]"' in talk.run("outputs", "--json")
    assert "key=[secret]" in talk.run("outputs")
    talk.run("preview", "--json", code=1, raises="output")
    assert talk.look() == [], talk.canaries.seen


@pytest.mark.long
def test_an_embedded_stack_shows_no_secret_of_its_program(
    project: Project, cloudflare: Cloudflare
) -> None:
    canaries = Canaries()
    more = {"cloudflare:baseUrl": cloudflare.base_url, "cloudflare:apiToken": cloudflare.token}
    environ = configure(project, canaries, "embedded", more)
    run_commands(Talk(project, environ, canaries))


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_a_stack_of_the_pulumi_cli_shows_no_secret_of_its_program(
    project: Project, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    canaries = Canaries()
    environ = configure(project, canaries, "pulumi", {"cloudflare:baseUrl": cloudflare.base_url})
    environ |= {**cli_environ(tmp_path), "CLOUDFLARE_API_TOKEN": cloudflare.token}
    command = ["pulumi", "stack", "init", "organization/flowflare/local", "--non-interactive"]
    subprocess.run(command, cwd=project.root, env=os.environ | environ, check=True)
    run_commands(Talk(project, environ, canaries))
