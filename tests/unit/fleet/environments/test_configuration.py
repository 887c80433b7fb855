"""What an ephemeral stack copies from its base, and what it changes."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from flowflare.config.files import read_project_file
from flowflare.errors import ConfigError, FleetError
from flowflare.fleet.environments.configuration import is_ephemeral, make_ephemeral
from flowflare.fleet.environments.names import environment_of, parse_ttl
from flowflare.fleet.environments.seeding import read_seeds

ZONE = "0123456789abcdef0123456789abcdef"
PULUMI = f"""
name: shop
runtime: python
config:
  flowflare:accountId: {"f" * 32}
  flowflare:suspended: true
  flowflare:clients:
    value:
      orders:
        source: a.js
        databases: {{STOCK: {{name: stock, jurisdiction: eu}}}}
        domains: [{{hostname: a.example.com, zoneId: {ZONE}}}]
      mail: {{source: a.js}}
"""
DEV = f"""
secretsprovider: awskms://key
encryptionsalt: v1:abc
config:
  flowflare:tenant: acme
  flowflare:environment: dev
  flowflare:protect: true
  flowflare:workersDev: false
  flowflare:names: {{service: by-hand}}
  flowflare:routes: [{{pattern: b.example.com/*, zoneId: {ZONE}}}]
  flowflare:allowDataLoss: {{a: b}}
  flowflare:retentionDays: "7"
  cloudflare:apiToken: {{secure: v1:token}}
  other: 3
  flowflare:clientOverrides:
    orders: {{secrets: {{KEY: {{secure: v1:key}}}}, workersDev: false}}
"""


def make(folder: Path, base: str = DEV) -> str:
    (folder / "Pulumi.yaml").write_text(PULUMI)
    (folder / "Pulumi.acme-dev.yaml").write_text(base)
    (folder / "a.js").write_text("")
    return make_ephemeral(read_project_file(folder), "acme-dev", "pr-1", "pr1").text


def test_a_file_names_a_command_that_prints_the_documentation(tmp_path: Path) -> None:
    assert make(tmp_path).startswith(
        "# Written by `flowflare env up` (flowflare docs environments): "
    )


def test_a_file_of_an_earlier_version_is_ephemeral_and_a_handwritten_one_is_not() -> None:
    mark = "# Written by `flowflare env up` (docs/environments.md): gone when its time is over."
    assert is_ephemeral(f"{mark}\nconfig: {{}}\n")
    assert not is_ephemeral("# Written for `flowflare env up`\nconfig: {}\n")


def test_an_ephemeral_stack_shares_nothing_with_its_base(tmp_path: Path) -> None:
    text = make(tmp_path)
    assert is_ephemeral(text)
    assert yaml.safe_load(text) == {
        "secretsprovider": "awskms://key",
        "encryptionsalt": "v1:abc",
        "config": {
            "cloudflare:apiToken": {"secure": "v1:token"},
            "flowflare:clientOverrides": {
                "orders": {
                    "secrets": {"KEY": {"secure": "v1:key"}},
                    "workersDev": True,
                    "domains": [],
                    "databases": {"STOCK": {"jurisdiction": "eu"}},
                }
            },
            "flowflare:environment": "pr1",
            "flowflare:protect": False,
            "flowflare:retentionDays": "7",
            "flowflare:suspended": False,
            "flowflare:tenant": "acme",
            "flowflare:workersDev": True,
            "shop:other": 3,
        },
    }
    spec = make_ephemeral(read_project_file(tmp_path), "acme-dev", "pr-1", "pr1").spec
    assert spec.service.script_name == "acme-pr1-flowflare-service"
    databases = [database for client in spec.clients for database in client.databases]
    assert [each.database_name for each in databases] == ["acme-pr1-flowflare-orders-stock"]
    assert not any(worker.routes or worker.domains for worker in (spec.service, *spec.clients))


def test_names_of_another_stack_are_refused(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "Pulumi.pr2.yaml").write_text("config: {flowflare:tenant: acme}\n")
    (tmp_path / "Pulumi.pr3.yaml").write_text("config: {flowflare:tenant: beta}\n")
    with pytest.raises(FleetError, match="stack pr2 has environment pr2"):
        make_ephemeral(read_project_file(tmp_path), "acme-dev", "p-r2", "pr2")
    make_ephemeral(read_project_file(tmp_path), "acme-dev", "p-r3", "pr3")
    with pytest.raises(ConfigError, match=r"has 5[0-9] characters"):
        make_ephemeral(read_project_file(tmp_path), "acme-dev", "x", "a" * 33)


def test_a_class_migration_from_a_script_of_another_stack_is_refused(tmp_path: Path) -> None:
    step = "{tag: v1, transferredClasses: [{from: A, fromScript: acme-dev-old, to: A}]}"
    with pytest.raises(FleetError, match="client mail takes over the class A from script acme-dev"):
        make(tmp_path, f"{DEV}    mail: {{classMigrations: [{step}]}}\n")


@pytest.mark.parametrize("name", ["", "Pr-1", "pr_1", "1pr", "pr--1", "pr-1-", "../x", "pr 1"])
def test_an_invalid_name_is_refused(name: str) -> None:
    assert environment_of("pr-12-3") == "pr123"
    with pytest.raises(FleetError):
        environment_of(name)


@pytest.mark.parametrize("text", ["", "48", "h", "0h", "-1h", "1.5h", "91d", "1w", "99999h"])
def test_an_invalid_time_to_live_is_refused(text: str) -> None:
    assert [parse_ttl(valid) for valid in ("30m", "48h", "7d")] == [
        timedelta(minutes=30),
        timedelta(hours=48),
        timedelta(days=7),
    ]
    with pytest.raises(FleetError):
        parse_ttl(text)


def test_seeds_have_the_same_names_in_every_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.sql").write_text("SELECT 1;")
    monkeypatch.chdir(tmp_path / "in")
    service, client = read_seeds(["a.sql", "orders/STOCK=../in/a.sql"], tmp_path)
    assert (service.file, service.database) == ("in/a.sql", "service")
    assert (client.file, client.database) == ("in/a.sql", "orders/STOCK")
    for wrong in (["a.sql", str(tmp_path / "in/a.sql")], ["b.sql"]):
        with pytest.raises(FleetError, match=r"twice|cannot be read"):
            read_seeds(wrong, tmp_path)
