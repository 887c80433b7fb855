"""A program shows its secrets in every way it can; nothing that a command writes contains one."""

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
#: What must still be shown, its secret replaced.
SHOWN = (
    "printed a given secret [secret]",
    "in pieces [secret]",
    "to standard error [secret]",
    "in bytes [secret]",
    "to a descriptor [secret]",
    "by a child [secret]",
    "logged [secret]",
    "told as information [secret]",
    'told as a warning {"key": "[secret]"}',
    "told with a resource [secret]",
    "https://shop.example/?key=[secret]",
    "caught [secret]",
)


class Talk:
    """Runs commands over a project and keeps all that they write.

    Args:
        project: the project.
        environ: the environment of its commands.
        canaries: what must not be in it.
    """

    def __init__(self, project: Project, environ: dict[str, str], canaries: Canaries) -> None:
        self.project = project
        self.environ = environ
        self.canaries = canaries
        self.written: list[tuple[str, str]] = []
        make_talkative(project.root, plain=True)

    def run(self, *words: str, code: int = 0, raises: str = "") -> str:
        """Run a command; what it wrote, standard output first."""
        done = self.project.flowflare(*words, **self.environ, RAISES=raises)
        text = done.stdout + done.stderr
        assert done.returncode == code, text
        if "--json" in words and code == 0:
            json.loads(done.stdout)

        self.written.append((f"{' '.join(words)} {raises}", text))
        return text

    def learn_outputs(self) -> None:
        """Take the secrets that the stack made for canaries too."""
        outputs = self.project.flowflare("outputs", "--json", "--show-secrets", **self.environ)
        self.canaries.hide("output", json.loads(outputs.stdout)["api_key"])

    def look(self) -> list[str]:
        """Search everything for canaries, files below the project too."""
        for where, text in self.written:
            self.canaries.look(where, text)
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


def tell_story(talk: Talk) -> None:
    raised = talk.run("up", code=1, raises="configuration")
    assert "raised with a given secret [secret]" in raised
    raised = talk.run("up", code=1, raises="output")
    assert "raised with an output [secret]" in raised
    shown = talk.run("up", "--json")
    missing = [text for text in SHOWN if text not in shown]
    assert not missing, f"{missing} in {shown}"
    assert "printed a resource's output [secret]" in shown
    assert '"plain": "https://shop.example/?key=[secret]"' in shown
    assert '"plain_given": {"[secret]": ' in " ".join(shown.split()).replace("{ ", "{")
    talk.learn_outputs()
    for words in (["preview"], ["preview", "--json"]):
        shown = talk.run(*words)
        missing = [text for text in SHOWN if text not in shown]
        assert not missing, f"{missing} in {shown}"
    assert '"plain": "https://shop.example/?key=[secret]"' in talk.run("outputs", "--json")
    assert "key=[secret]" in talk.run("outputs")
    talk.run("preview", "--json", code=1, raises="output")
    assert talk.look() == [], talk.canaries.seen


@pytest.mark.long
def test_nothing_that_an_embedded_stack_writes_has_a_secret_of_its_program(
    project: Project, cloudflare: Cloudflare
) -> None:
    canaries = Canaries()
    more = {"cloudflare:baseUrl": cloudflare.base_url, "cloudflare:apiToken": cloudflare.token}
    environ = configure(project, canaries, "embedded", more)
    tell_story(Talk(project, environ, canaries))


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_nothing_that_a_stack_of_the_pulumi_cli_writes_has_a_secret_of_its_program(
    project: Project, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    canaries = Canaries()
    environ = configure(project, canaries, "pulumi", {"cloudflare:baseUrl": cloudflare.base_url})
    environ |= {**cli_environ(tmp_path), "CLOUDFLARE_API_TOKEN": cloudflare.token}
    command = ["pulumi", "stack", "init", "organization/flowflare/local", "--non-interactive"]
    subprocess.run(command, cwd=project.root, env=os.environ | environ, check=True)
    tell_story(Talk(project, environ, canaries))
