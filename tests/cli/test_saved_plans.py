"""A plan is saved, approved by its digest, and refused once anything moved since."""

import hashlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from flowflare.state.passphrase import Passphrase, Vault
from tests.cli.command import CliResult, flowflare
from tests.support.waiting import PATIENCE

ENVIRONMENT = "a-weak-one"
CONFIGURED = "hunter2-of-the-configuration"
FILED = "hunter2-of-a-file"


@pytest.fixture
def shop(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose client has a secret of each local source."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse battery staple")
    monkeypatch.setenv("SHOP_TOKEN", ENVIRONMENT)
    (root / "token.txt").write_text(FILED)
    vault = Vault(Passphrase("correct horse battery staple", "the test"))
    sealed = vault.seal_text(CONFIGURED)
    secrets = {
        "FROM_ENVIRONMENT": {"environment": "SHOP_TOKEN"},
        "FROM_FILE": {"file": "token.txt"},
        "FROM_CONFIGURATION": {"secure": sealed},
    }
    stack = root / "Pulumi.local.yaml"
    overrides = json.dumps({"orders": {"secrets": secrets}})
    text = f"{stack.read_text().rstrip()}\n  flowflare:clientOverrides: {overrides}\n"
    stack.write_text(text.replace("config:\n", f"encryptionsalt: {vault.salt}\nconfig:\n", 1))
    return root


def preview(root: Path, *words: str) -> CliResult:
    return flowflare("preview", "--out", str(root / "plan.json"), "--cwd", str(root), *words)


def apply(root: Path, *words: str) -> CliResult:
    return flowflare("up", "--plan", str(root / "plan.json"), "--cwd", str(root), *words)


def test_the_digest_of_the_file_is_what_the_next_command_names(shop: Path) -> None:
    said = preview(shop)
    assert said.code == 0, said.err
    digest = f"sha256:{hashlib.sha256((shop / 'plan.json').read_bytes()).hexdigest()}"
    assert said.err.rstrip().endswith(f"plan.json, {digest}")
    assert said.out.rstrip().endswith(f"plan.json --digest {digest}")
    document = json.loads(preview(shop, "--json").out)
    assert json.loads((shop / "plan.json").read_text())["plan"] == document


def test_the_file_holds_no_secret_and_nothing_to_try_one_out_with(shop: Path) -> None:
    assert preview(shop).code == 0
    first = (shop / "plan.json").read_text()
    assert [secret for secret in (ENVIRONMENT, CONFIGURED, FILED) if secret in first] == []
    assert preview(shop).code == 0
    facts, again = json.loads(first)["facts"], json.loads((shop / "plan.json").read_text())["facts"]
    assert set(facts["secrets"]) == {"environment variable SHOP_TOKEN", "file token.txt"}
    # Every plan has another key, so digests of equal values say nothing about each other.
    assert [part for part in facts if facts[part] and facts[part] == again[part]] == []


def test_an_empty_passphrase_protects_nothing_so_a_key_is_asked_for(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = shop / "Pulumi.local.yaml"
    text = stack.read_text()
    stack.write_text("\n".join(line for line in text.splitlines() if "salt" not in line[:16]))
    stack.write_text(stack.read_text().partition("  flowflare:clientOverrides")[0])
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    said = preview(shop)
    assert said.code == 1
    assert "Set FLOWFLARE_FINGERPRINT_KEY to a random text" in said.err
    monkeypatch.setenv("FLOWFLARE_FINGERPRINT_KEY", "a random text of the machine")
    assert preview(shop).code == 0
    monkeypatch.setenv("FLOWFLARE_FINGERPRINT_KEY", "a random text of another machine")
    assert "configuration: cloudflare:baseUrl was changed" in apply(shop).err


def test_another_file_than_the_approved_one_is_refused(shop: Path) -> None:
    assert preview(shop).code == 0
    said = apply(shop, "--digest", f"sha256:{'0' * 64}")
    assert said.code == 1
    assert "plan.json is not the approved plan: its digest is sha256:" in said.err
    assert flowflare("up", "--digest", "x", "--cwd", str(shop)).code == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}'])
def test_another_file_than_a_plan_is_refused(shop: Path, text: str) -> None:
    (shop / "plan.json").write_text(text)
    said = apply(shop)
    assert (said.code, said.out) == (1, "")
    assert "is not a plan that this release of flowflare can read" in said.err


def test_a_plan_of_another_stack_is_refused(shop: Path) -> None:
    (shop / "Pulumi.staging.yaml").write_text((shop / "Pulumi.local.yaml").read_text())
    assert preview(shop).code == 0
    said = apply(shop, "--stack", "staging")
    assert said.code == 1
    assert "the plan is of stack shop/local, not of shop/staging" in said.err


def test_a_plan_that_up_would_refuse_is_not_saved(shop: Path) -> None:
    program = shop / "infra/__main__.py"
    record = 'pulumi.CustomResource("cloudflare:index/dnsRecord:DnsRecord", "www", {})'
    program.write_text(f"{program.read_text()}\n{record}\n")
    assert preview(shop).code == 1
    assert not (shop / "plan.json").exists()


def test_up_says_what_moved_since_the_plan(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, program = shop / "Pulumi.local.yaml", shop / "infra/__main__.py"
    source = shop / "worker_src/orders/src/index.js"
    assert preview(shop).code == 0

    def refuse_plan() -> str:
        said = apply(shop)
        assert said.code == 1
        assert not (shop / ".flowflare/emulator").exists()  # nothing was started
        return said.err

    with monkeypatch.context() as changed:
        changed.setenv("SHOP_TOKEN", "another one")
        assert "secrets: environment variable SHOP_TOKEN was changed" in refuse_plan()
        changed.delenv("SHOP_TOKEN")
        assert "secrets: environment variable SHOP_TOKEN was changed" in refuse_plan()
        changed.setenv("PULUMI_CONFIG_PASSPHRASE", "another one")
        assert "does not decrypt" in refuse_plan()
    (shop / "token.txt").write_text("another one")
    assert "secrets: file token.txt was changed" in refuse_plan()
    (shop / "token.txt").write_text(FILED)
    before = stack.read_text()
    stack.write_text(f"{before}  flowflare:retentionDays: 30\n")
    assert "configuration: flowflare:retentionDays was added" in refuse_plan()
    stack.write_text(before)
    before = source.read_text()
    source.write_text(f"{before}\nconsole.log(1);\n")
    assert "program: flowflare-orders-script is declared with other content" in refuse_plan()
    source.write_text(before)
    program.write_text(f'{program.read_text()}\npulumi.export("new", 1)\n')
    assert "plan: the output new is another one" in refuse_plan()


def test_a_protected_stack_asks_on_a_terminal_and_nowhere_else(root: Path) -> None:
    stack = root / "Pulumi.local.yaml"
    stack.write_text(stack.read_text().replace("protect: false", "protect: true"))
    refused = flowflare("up", "--cwd", str(root))
    assert refused.code == 1
    assert "up of stack local must be approved" in refused.err
    assert "flowflare up --stack local --yes" in refused.err
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"n\n")
        done = subprocess.run(
            [str(Path(sys.executable).parent / "flowflare"), "up"],
            cwd=root, stdin=theirs, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 1
    assert "Would change: 11 create" in done.stdout
    assert "Apply this plan to shop/local?" in done.stderr
    assert not (root / ".flowflare/emulator").exists()
