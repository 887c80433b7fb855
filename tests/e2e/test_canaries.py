"""No file and no output of a command contains one of the secrets planted in every source."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.properties import reveal
from tests.aws import serve_aws
from tests.canaries.search import Canaries
from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.rotating import read_outputs

pytestmark = [
    pytest.mark.workerd,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]


class Shop:
    """A project whose only client has a secret from every source."""

    def __init__(self, project: Project, canaries: Canaries) -> None:
        self.project = project
        self.canaries = canaries

    def configure(self, vault: Vault, secrets: dict[str, object], token: str) -> None:
        """Rewrite the stack's file as JSON, which is valid YAML."""
        client = {
            "source": "worker_src/orders/src/index.js",
            "workflows": {"order-processing": {"className": "OrderWorkflow"}},
            "secrets": secrets,
        }
        config = {
            "flowflare:engine": "embedded",
            "flowflare:accountId": self.project.account.identity,
            "flowflare:protect": False,
            "cloudflare:baseUrl": self.base_url,
            "cloudflare:apiToken": {"secure": vault.seal_text(token)},
            "flowflare:clients": {"orders": client},
        }
        document = {"encryptionsalt": vault.salt, "config": config}
        file = self.project.root / "Pulumi.local.yaml"
        file.write_text(json.dumps(document, indent=2))

    @property
    def base_url(self) -> str:
        if not hasattr(self, "_base_url"):
            text = (self.project.root / "Pulumi.local.yaml").read_text()
            self._base_url = re.search(r"http://[\d.:]+/client/v4", text)[0]  # type: ignore[index]
        return self._base_url

    def run(self, *words: str, code: int = 0) -> CliResult:
        result = flowflare(*words, "-C", str(self.project.root))
        assert result.code == code, result.err
        self.canaries.look(f"stdout of {' '.join(words)}", result.out)
        self.canaries.look(f"stderr of {' '.join(words)}", result.err)
        return result

    def hide_generated(self) -> None:
        """Add the secrets that the stack generated to the canaries."""
        for resource in self.project.open_stack().read().resources:
            for name in ("api_key", "value"):
                if name in resource.outputs:
                    self.canaries.hide(resource.name, reveal(resource.outputs[name]))


@pytest.mark.long
def test_no_secret_is_written_or_printed_anywhere(  # noqa: PLR0915 -- one long story
    project: Project,
    cloudflare: Cloudflare,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    canaries = Canaries()
    shop = Shop(project, canaries)
    phrase = canaries.plant("passphrase")
    token = cloudflare.create_token()
    canaries.hide("token", token)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", phrase)
    monkeypatch.setenv("SHOP_TOKEN", canaries.plant("environment"))
    file = tmp_path / "elsewhere" / "token"
    file.parent.mkdir()
    file.write_text(canaries.plant("file"))
    vault = Vault(Passphrase(phrase, "the test"))
    _ = shop.base_url
    with serve_aws() as aws, canaries.watching_children() as commands:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        aws.put_secret("shop", json.dumps({"token": canaries.plant("aws")}))
        aws.put_parameter("/shop", canaries.plant("parameter"))
        secrets: dict[str, object] = {
            "CONFIGURED": {"secure": vault.seal_text(canaries.plant("configuration"))},
            "ENVIRONMENT": {"environment": "SHOP_TOKEN"},
            "FILE": {"file": str(file)},
            "AWS": {"awsSecretsManager": "shop", "key": "token"},
            "PARAMETER": {"awsParameter": "/shop"},
            "GENERATED": {"generated": {}},
        }
        shop.configure(vault, secrets, token)
        # The edited source must be bundled, which runs Node.
        project.edit("worker_src/orders/src/index.js", "price: 450", f"price: {os.getpid()}")
        shop.run("preview")
        with project.account.inject_fault({"kind": "answer", "status": 403}, method="PUT"):
            shop.run("up", code=1)
        shop.run("up", "--json")
        shop.hide_generated()
        for words in (("outputs",), ("outputs", "--json"), ("secrets", "status", "--json")):
            shop.run(*words)
        shop.run("render", "--out", str(project.root / "rendered"))

        # Every source gets another value; two sources are unavailable for a while.
        monkeypatch.delenv("SHOP_TOKEN")
        secrets["CONFIGURED"] = {"secure": vault.seal_text(canaries.plant("second configuration"))}
        shop.configure(vault, secrets, token)
        file.unlink()
        aws.put_secret("shop", json.dumps({"other": canaries.plant("key is gone")}))
        assert "file" in shop.run("preview", "--diff", code=1).out
        assert "unknown: " in shop.run("secrets", "status").out
        shop.run("up", code=1)
        monkeypatch.setenv("SHOP_TOKEN", canaries.plant("second environment"))
        file.write_text(canaries.plant("second file"))
        aws.put_secret("shop", json.dumps({"token": canaries.plant("second aws")}))
        aws.put_parameter("/shop", canaries.plant("second parameter"))
        preview = json.loads(shop.run("preview", "--json").out)
        assert "flowflare-orders-secret-aws" in json.dumps(preview)
        shop.run("secrets", "rotate", code=1)
        shop.run("up")
        shop.run("secrets", "rotate")
        shop.run("secrets", "rotate", "--finish", "--json")
        shop.hide_generated()

        for mistake in (
            {"TOKEN": canaries.plant("plain text")},
            {"TOKEN": [canaries.plant("list")]},
            {"TOKEN": {"secure": canaries.plant("not encrypted")}},
            {"TOKEN": {"environment": canaries.plant("name")}},
            canaries.plant("no mapping"),
        ):
            shop.configure(vault, mistake, token)  # type: ignore[arg-type]
            shop.run("preview", code=1)
        shop.configure(vault, secrets, token)
        program = project.root / "infra/__main__.py"
        program.write_text(program.read_text() + "\nraise ValueError(stack)\n")
        shop.run("up", code=1)
        shop.run("destroy", "--yes")
    assert any("esbuild" in command or "bundle" in command for command in commands), commands

    # Cloudflare must have the secrets: in its database and in the configuration of workerd.
    assert canaries.look_below(project.root, but=(".flowflare/emulator", "node_modules")) > 12
    canaries.look("the emulator's log", (cloudflare.data / "emulator.log").read_bytes())
    canaries.look("the request log", json.dumps(project.account.list_requests()))
    assert canaries.seen == [], canaries.seen
    assert read_outputs(project) == {}


def test_the_emulator_has_no_variables_of_the_process_that_started_it(
    cloudflare: Cloudflare,
) -> None:
    environment = Path(f"/proc/{cloudflare.pid}/environ").read_text(errors="replace")
    names = {entry.partition("=")[0] for entry in environment.split("\0") if entry}
    assert "PATH" in names
    assert not [name for name in names if name.startswith(("PYTEST", "PULUMI", "AWS", "SHOP"))]
