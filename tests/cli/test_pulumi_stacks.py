"""Commands on stacks of the Pulumi CLI if the CLI is not installed."""

import json
from pathlib import Path

import pytest

from tests.cli.command import flowflare
from tests.engine.projects import make_sample


@pytest.fixture(autouse=True)
def no_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove `pulumi` and the backend from the environment."""
    for name in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "CLOUDFLARE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))


@pytest.mark.parametrize("engine", ["", "  flowflare:engine: pulumi"], ids=["none", "pulumi"])
@pytest.mark.parametrize("command", ["up", "preview", "destroy --yes", "outputs", "unlock"])
def test_a_command_names_the_missing_program(root: Path, command: str, engine: str) -> None:
    local = root / "Pulumi.local.yaml"
    local.write_text(local.read_text().replace("  flowflare:engine: embedded", engine))
    said = flowflare(*command.split(), "--cwd", str(root))
    assert (said.code, said.out) == (1, "")
    assert "stack local runs on the Pulumi CLI, which is not installed" in said.err
    assert "flowflare doctor --install" in said.err
    assert "Traceback" not in said.err
    assert not (root / ".flowflare").exists()


PROGRAM = """
    import pulumi
    class Kind(pulumi.CustomResource):
        def __init__(self, name_, **props):
            super().__init__("cloudflare:index/d1Database:D1Database", name_, props)
    Kind("shop-database", accountId="a" * 32, name="shop")
"""


def test_a_preview_compares_with_the_state_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = make_sample(tmp_path / "shop", PROGRAM)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    said = flowflare("preview", "--stack", "dev", "--json", "--cwd", str(sample.root))
    assert said.code == 0, said.err
    assert "The Pulumi CLI is not installed: this plan compares the program" in said.err
    [entry] = [
        entry for entry in json.loads(said.out)["resources"] if entry["name"] == "shop-database"
    ]
    assert entry["op"] == "create"


def test_doctor_names_failed_checks_and_remedies(root: Path) -> None:
    local = root / "Pulumi.local.yaml"
    lines = local.read_text().splitlines()
    local.write_text("\n".join(line for line in lines if "engine: embedded" not in line))
    said = flowflare("doctor", "--json", "--cwd", str(root))
    assert said.code == 1
    checks = {check["name"]: check for check in json.loads(said.out)["checks"]}
    failed = sorted(name for name, check in checks.items() if check["status"] == "fail")
    assert failed == ["backend", "pulumi", "secrets", "token"]
    assert all(checks[name]["remedy"] for name in failed)
    assert "4 of 7 checks failed" in said.err
    shown = flowflare("doctor", "--cwd", str(root)).out
    assert "FAIL  token        there is no API token" in shown


def test_doctor_of_an_embedded_stack(root: Path) -> None:
    said = flowflare("doctor", "--json", "--cwd", str(root))
    assert said.code == 0
    checks = json.loads(said.out)["checks"]
    assert [check["name"] for check in checks] == ["packages", "node", "cloudflare", "state"]
    assert not (root / ".flowflare/state").exists()


def test_doctor_never_shows_a_token_and_refuses_a_plain_one(root: Path) -> None:
    local = root / "Pulumi.local.yaml"
    text = local.read_text().replace("flowflare:engine: embedded", "flowflare:debug: true")
    lines = [line for line in text.splitlines() if "baseUrl" not in line]
    token = "a-token-in-the-clear-0123456789-0123456789"
    local.write_text("\n".join([*lines, f"  cloudflare:apiToken: {token}"]))
    said = flowflare("doctor", "--cwd", str(root))
    assert "the token is not encrypted" in said.out
    assert token not in said.out + said.err
