"""Values and secrets of a stack's file are set, checked, masked and completed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.config.placing import read_value
from flowflare.engine.configuration import open_vault
from tests.cli.command import CliResult, flowflare
from tests.support.waiting import PATIENCE

PROGRAM = str(Path(sys.executable).parent / "flowflare")
SECRET = "correct horse: battery"
PAYMENT = ("flowflare:clientOverrides", "orders", "secrets", "PAYMENT_KEY")


@pytest.fixture
def shop(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the working folder, whose client has a secret in Pulumi.yaml."""
    file = root / "Pulumi.yaml"
    client = "        source: worker_src/orders/src/index.js\n"
    secrets = "        secrets: {MAIL_TOKEN: {environment: MAIL_TOKEN}}\n"
    file.write_text(file.read_text().replace(client, client + secrets))
    monkeypatch.chdir(root)
    return root


def run(root: Path, *words: str, given: str = "") -> CliResult:
    """Run the program in its own process, with a text on its standard input."""
    done = subprocess.run(
        [PROGRAM, *words],
        cwd=root,
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return CliResult(done.returncode, done.stdout, done.stderr)


def open_secret(root: Path, keys: tuple[str, ...] = PAYMENT) -> str:
    project = read_project(root, "local")
    sealed = read_value(project, keys)
    return open_vault(project, os.environ).open_text(sealed["secure"])


def test_a_secret_is_set_encrypted_beside_the_secrets_of_the_project(shop: Path) -> None:
    before = (shop / "Pulumi.local.yaml").read_text()
    said = run(shop, "secrets", "set", "PAYMENT_KEY", given=f"{SECRET}\n")
    assert said.code == 0, said.err
    assert "Set PAYMENT_KEY of client orders in Pulumi.local.yaml, encrypted." in said.out
    assert "Next:" in said.out
    text = (shop / "Pulumi.local.yaml").read_text()
    assert open_secret(shop) == SECRET
    assert SECRET not in text + said.out + said.err
    inherited = read_value(read_project(shop, "local"), (*PAYMENT[:3], "MAIL_TOKEN"))
    assert inherited == {"environment": "MAIL_TOKEN"}
    kept = [line for line in before.splitlines() if line not in text.splitlines()]
    assert not kept, "every line of the file stays, comments included"

    run(shop, "secrets", "set", "PAYMENT_KEY", "--client", "orders", given="another")
    assert open_secret(shop) == "another"
    assert text.count("\n") == (shop / "Pulumi.local.yaml").read_text().count("\n")


def test_a_secrets_value_on_the_command_line_is_refused(shop: Path) -> None:
    said = flowflare("secrets", "set", "PAYMENT_KEY", SECRET)
    assert said.code == 2
    assert "a secret's value is never an argument" in said.err
    assert SECRET not in said.err
    empty = run(shop, "secrets", "set", "PAYMENT_KEY")
    assert empty.code == 1
    assert "the value of PAYMENT_KEY on standard input is empty" in empty.err


def test_values_are_set_shown_and_listed_with_masked_secrets(shop: Path) -> None:
    run(shop, "secrets", "set", "cloudflare:apiToken", given="token-token")
    assert flowflare("config", "set", "retentionDays", "90").code == 0
    assert flowflare("config", "get", "retentionDays").out == "90\n"
    assert flowflare("config", "set", "clientOverrides.orders.logpush", "true").code == 0
    one = json.loads(flowflare("config", "get", "clientOverrides", "--json").out)
    assert one["value"] == {"orders": {"logpush": True}}
    assert one["secret"] is False

    listed = json.loads(flowflare("config", "ls", "--json").out)
    values = {row["key"]: row for row in listed["values"]}
    assert values["cloudflare:apiToken"]["value"] == "[secret]"
    assert values["cloudflare:apiToken"]["secret"] is True
    assert values["flowflare:clients"]["file"] == "Pulumi.yaml"
    shown = flowflare("config", "ls").out
    assert "flowflare:retentionDays" in shown
    assert "v1:" not in shown, "not even a ciphertext"


def test_a_wrong_or_secret_value_is_refused_and_the_file_stays(shop: Path) -> None:
    before = (shop / "Pulumi.local.yaml").read_text()
    wrong = flowflare("config", "set", "retentionDays", "soon")
    assert wrong.code == 1
    assert "`flowflare:retentionDays`: is 'soon', not a whole number" in wrong.err
    unknown = flowflare("config", "set", "retentionDay", "3")
    assert "Did you mean `retentionDays`?" in unknown.err
    secret = flowflare("config", "set", "cloudflare:apiToken", "t")
    assert "flowflare secrets set cloudflare:apiToken" in secret.err
    missing = flowflare("config", "get", "retentionDay")
    assert missing.code == 1
    assert (shop / "Pulumi.local.yaml").read_text() == before


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("flowflare up -s ", ["dev", "local"]),
        ("flowflare up -s d", ["dev"]),
        ("flowflare secrets set KEY --client ", ["orders"]),
        ("flowflare fleet up -e ", ["dev", "prod"]),
        ("flowflare fleet up -e prod --tenants acme,b", ["acme,beta"]),
    ],
)
def test_a_shell_completes_stacks_clients_tenants_and_environments(
    shop: Path, words: str, names: list[str]
) -> None:
    (shop / "Pulumi.dev.yaml").write_text("config: {}\n")
    (shop / "tenants.yaml").write_text(
        "environments: {dev: {}, prod: {}}\ntenants: {acme: {}, beta: {}}\n"
    )
    parts = words.split(" ")
    done = subprocess.run(
        [PROGRAM],
        cwd=shop,
        env=os.environ
        | {
            "_FLOWFLARE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(parts) - 1),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.split() == names, done.stderr
