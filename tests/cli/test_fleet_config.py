"""`flowflare fleet config` and the refusals of `flowflare env` on the command line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowflare.cli.env.surroundings import format_left
from flowflare.fleet.environments.lifecycle import CommandContext
from flowflare.fleet.environments.records import EnvironmentRecord
from tests.cli.command import CliResult, flowflare
from tests.ports import find_free_port

TENANTS = """
defaults: {engine: embedded, accountId: f10f1a4ef10f1a4ef10f1a4ef10f1a4e}
environments: {dev: {}, prod: {}}
tenants: {acme: {config: {debug: true}}, beta: {only: [prod]}}
"""


def config(root: Path, *words: str) -> CliResult:
    return flowflare("fleet", "config", "--cwd", str(root), *words)


def test_files_are_written_checked_and_pruned(root: Path) -> None:
    (root / "tenants.yaml").write_text(TENANTS)
    checked = config(root, "--check")
    assert (checked.code, "3 files are not as tenants.yaml says" in checked.err) == (1, True)
    assert not list(root.glob("Pulumi.*-*.yaml"))
    assert "2 files: 2 new." in config(root, "-e", "prod").out
    assert "3 files: 1 new, 2 up to date." in config(root).out
    assert config(root, "--check").code == 0

    (root / "tenants.yaml").write_text(TENANTS.replace("debug: true", "debug: false"))
    changed = config(root, "--check", "--diff", "-e", "prod")
    assert changed.code == 1
    assert "-  flowflare:debug: true\n    +  flowflare:debug: false" in changed.out

    (root / "tenants.yaml").write_text(TENANTS.replace("acme", "gamma"))
    stale = config(root)
    assert "stale    Pulumi.acme-dev.yaml" in stale.out
    assert "flowflare fleet config --prune" in stale.out
    files = json.loads(config(root, "--json", "--prune").out)["files"]
    kinds = {file["file"]: file["kind"] for file in files}
    assert kinds == {
        "Pulumi.acme-dev.yaml": "removed",
        "Pulumi.acme-prod.yaml": "removed",
        "Pulumi.beta-prod.yaml": "same",
        "Pulumi.gamma-dev.yaml": "same",
        "Pulumi.gamma-prod.yaml": "same",
    }
    assert config(root, "--check").code == 0


def test_keys_of_a_fleets_stack_are_rotated_in_its_source(root: Path) -> None:
    (root / "tenants.yaml").write_text(TENANTS)
    config(root)
    said = flowflare("secrets", "rotate", "--preview", "--stack", "acme-dev", "--cwd", str(root))
    assert (said.code, "For API keys: flowflare fleet secrets rotate" in said.err) == (1, True)


def test_without_tenants_yaml_the_error_explains_how_to_start(root: Path) -> None:
    said = config(root)
    assert said.code == 1
    assert "tenants.yaml: the file does not exist" in said.err
    assert "Start with a small one" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("env up local", "Pulumi.local.yaml was not written by `flowflare env up`"),
        ("env up Pr-1", "'Pr-1' is not a valid name for an environment"),
        ("env up pr-1 --ttl 2y", "'2y' is not a time to live"),
        ("env up pr-1 --seed none.sql", "the seed 'none.sql' cannot be read"),
        ("env up pr-1 --from none", "stack `none` has no such file"),
        ("env down Pr-1", "'Pr-1' is not a valid name for an environment"),
    ],
)
def test_an_invalid_environment_is_refused(root: Path, words: str, part: str) -> None:
    said = flowflare(*words.split(), "--cwd", str(root))
    assert (said.code, part in said.err, "Traceback" in said.err) == (1, True, False)
    assert not (root / "Pulumi.pr-1.yaml").exists()
    assert json.loads(flowflare("env", "list", "--json", "--cwd", str(root)).out) == {
        "environments": []
    }


def test_environments_are_listed_and_a_sweep_names_those_to_remove(root: Path) -> None:
    here = ("--cwd", str(root))
    assert "No ephemeral environments" in flowflare("env", "list", *here).out
    assert "Nothing to remove." in flowflare("env", "sweep", *here).out
    assert "There is no ephemeral environment pr-1" in flowflare("env", "down", "pr-1", *here).out
    records = CommandContext(root, {}).records()
    now = datetime.now(UTC)
    for name, hours in (("pr-1", -1.5), ("pr-2", 50.5)):
        record = EnvironmentRecord(
            name=name,
            project="shop",
            stack=name,
            environment=name.replace("-", ""),
            base="local",
            created=now,
            expires=now + timedelta(hours=hours),
            text="",
        )
        records.write(record, None)
    broken = root / ".flowflare/state/.flowflare/environments/shop/pr-3.json"
    broken.write_text('{"format": 2}')
    said = flowflare("env", "list", *here)
    assert "pr-3.json is not a record of an environment that can be read" in said.err
    listed = said.out
    assert "over for 1 h" in listed
    assert "2 d 2 h" in listed
    document = json.loads(flowflare("env", "sweep", "--dry-run", "--json", *here).out)
    assert [entry["name"] for entry in document["would_remove"]] == ["pr-1"]
    assert format_left(timedelta(minutes=3)) == "3 min"


ADDRESSES = """
defaults: {accountId: f10f1a4ef10f1a4ef10f1a4ef10f1a4e}
environments:
  dev: {}
  prod:
    config: {"cloudflare:baseUrl": https://proxy.example/client/v4}
tenants:
  acme: {}
  beta:
    config: {engine: embedded, "cloudflare:baseUrl": https://api.cloudflare.com/client/v4}
  gamma:
    config: {retentionDays: thirty}
"""


@pytest.mark.parametrize("command", ["config", "config --check", "preview -e prod", "up -e prod"])
def test_an_address_that_fleet_up_would_refuse_is_refused_with_all_other_problems(
    root: Path, command: str
) -> None:
    (root / "tenants.yaml").write_text(ADDRESSES)
    said = flowflare("fleet", *command.split(), "--cwd", str(root))
    assert (said.code, said.out) == (1, "")
    for part in (
        "tenants.yaml:6: `cloudflare:baseUrl`: a fleet's calls share one budget",
        "set the environment variable CLOUDFLARE_BASE_URL instead",
        "tenants.yaml:10: `cloudflare:baseUrl`: is 'https://api.cloudflare.com/client/v4'",
        "the embedded engine only calls loopback addresses",
        "tenants.yaml:12:",
        "retentionDays",
    ):
        assert part in said.err
    assert not list(root.glob("Pulumi.*-*.yaml"))


def test_an_encrypted_address_that_only_a_stacks_file_has_is_refused_too(root: Path) -> None:
    (root / "tenants.yaml").write_text(TENANTS.replace("engine: embedded, ", ""))
    assert config(root).code == 0
    file = root / "Pulumi.acme-dev.yaml"
    file.write_text(file.read_text() + "  cloudflare:baseUrl: {secure: v1:a:b}\n")
    said = config(root, "--check")
    assert (said.code, said.out) == (1, "")
    assert "Pulumi.acme-dev.yaml: `cloudflare:baseUrl`: a fleet's calls share" in said.err


def test_a_rollout_names_all_tenants_without_a_passphrase_before_it_begins(root: Path) -> None:
    source = '{passphrase: {env: "WORDS_OF_{TENANT}"}}'
    address = f"cloudflare:baseUrl: http://127.0.0.1:{find_free_port()}/client/v4"
    text = TENANTS.replace("prod: {}", f"prod: {source}").replace(
        "engine: embedded", f"engine: embedded, {address}"
    )
    (root / "tenants.yaml").write_text(text)
    assert config(root).code == 0
    refused = flowflare("fleet", "up", "-e", "prod", "--cwd", str(root))
    assert refused.code == 1
    assert "2 stacks have no passphrase" in refused.err
    for name in ("ACME", "BETA"):
        assert f"the environment variable WORDS_OF_{name} has none" in refused.err
    assert not (root / ".flowflare/emulator").exists()
