"""How tenants.yaml is read, and which mistakes are reported."""

import json
import time
from pathlib import Path

import jsonschema_rs
import pytest

from flowflare.errors import ConfigError
from flowflare.kinds.contract import Kind
from flowflare.kinds.registry import list_own
from tests.docs.generate_schemas import tenants_schema
from tests.support.own_stores import OWN_STORES
from tests.unit.fleet.tenants.fleets import (
    ACCOUNT,
    HEAD,
    ZONE,
    list_problems,
    load_fleet,
    make_project,
)


def test_later_layers_replace_whole_keys(tmp_path: Path) -> None:
    text = f"""
defaults: {{accountId: {ACCOUNT}, retentionDays: 30, debug: true, allowedOrigins: [https://a.b]}}
environments:
  dev: {{}}
  prod: {{config: {{retentionDays: 90}}}}
tenants:
  acme:
    config: {{flowflare:allowedOrigins: [https://acme.example], cloudflare:x: 1}}
    environments: {{prod: {{config: {{debug: null}}}}}}
"""
    [acme] = load_fleet(make_project(tmp_path, text)).tenants
    assert acme.config["dev"] == {
        "flowflare:tenant": "acme",
        "flowflare:environment": "dev",
        "cloudflare:x": 1,
        "flowflare:accountId": ACCOUNT,
        "flowflare:allowedOrigins": ["https://acme.example"],
        "flowflare:debug": True,
        "flowflare:retentionDays": 30,
    }
    assert "flowflare:debug" not in acme.config["prod"]
    assert acme.config["prod"]["flowflare:retentionDays"] == 90


def test_a_tenant_may_be_suspended_and_limited_to_some_environments(
    tmp_path: Path,
) -> None:
    text = (
        HEAD
        + """
environments: {dev: , prod: {waves: [2, 100%], health: {workflow: orders}}}
tenants: {beta: {status: suspended, only: [prod], tags: [eu, eu, big]}, alpha: }
"""
    )
    found = load_fleet(make_project(tmp_path, text))
    alpha, beta = found.tenants
    assert (alpha.environments, beta.environments) == (("dev", "prod"), ("prod",))
    assert beta.config["prod"]["flowflare:suspended"] is True
    assert "flowflare:suspended" not in alpha.config["prod"]
    assert beta.tags == ("big", "eu")
    assert found.environment("prod").waves == (2, "100%")
    assert found.environment("prod").health.workflow == "orders"
    assert found.stacks() == ("alpha-dev", "alpha-prod", "beta-prod")


@pytest.mark.parametrize("form", ["folder", "command", "json"])
def test_tenants_may_come_from_a_folder_or_a_command(tmp_path: Path, form: str) -> None:
    listed = {"acme": {"status": "retired"}, "beta": {"config": {"debug": True}}}
    where = f"{{folder: {tmp_path / 'list'}}}"
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "acme.yaml").write_text("status: retired\n")
    (tmp_path / "list" / "beta.yaml").write_text("config: {debug: true}\n")
    (tmp_path / "list" / "README.md").write_text("not a tenant")
    if form != "folder":
        (tmp_path / "list.json").write_text(
            json.dumps(listed, indent="\t" if form == "json" else 1)
        )
        where = "{command: [cat, list.json]}"
    text = f"{HEAD}environments: {{prod: {{}}}}\ntenants: {where}\n"
    acme, beta = load_fleet(make_project(tmp_path, text)).tenants
    assert (acme.name, acme.status) == ("acme", "retired")
    assert beta.config["prod"]["flowflare:debug"] is True


def test_mistakes_of_a_folder_or_a_command_name_their_place(tmp_path: Path) -> None:
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "acme.yaml").write_text("config:\n  debugg: true\n")
    (tmp_path / "list" / "beta.yaml").write_text("status: [\n")
    text = f"{HEAD}environments: {{prod: {{}}}}\ntenants: {{folder: list}}\n"
    found = list_problems(make_project(tmp_path, text))
    assert found[0] == "list/acme.yaml:2: `flowflare:debugg`: there is no such key"
    assert found[1].startswith("list/beta.yaml:2: invalid YAML")
    failing = f"{HEAD}environments: {{prod: {{}}}}\ntenants: {{command: [sh, -c, 'exit 3']}}\n"
    [problem] = list_problems(make_project(tmp_path, failing))
    assert problem == "tenants.yaml:3: `tenants.command`: `sh -c exit 3` ended with exit code 3"


def test_all_mistakes_of_the_form_are_reported_at_once(tmp_path: Path) -> None:
    text = """
environments:
  prod: {waves: [0, 10%], passphrase: {env: A, file: b}}
  pre-prod: {}
tenants:
  Acme: {statuss: active}
  beta: {status: gone, tags: eu}
"""
    assert list_problems(make_project(tmp_path, text)) == [
        "tenants.yaml:3: `environments.prod.waves.0`: is 0, which is not a wave size",
        "tenants.yaml:3: `environments.prod.passphrase`: has env and file of its keys",
        "tenants.yaml:4: `environments.pre-prod`: the name is 'pre-prod', which is not an "
        "environment's name",
        "tenants.yaml:6: `tenants.Acme`: the name is 'Acme', which cannot be part of a Worker's "
        "name",
        "tenants.yaml:6: `tenants.Acme.statuss`: there is no such key",
        "tenants.yaml:7: `tenants.beta.status`: is 'gone'",
        "tenants.yaml:7: `tenants.beta.tags`: is 'eu', not a list",
    ]


def test_all_mistakes_of_the_configuration_are_reported_at_once(tmp_path: Path) -> None:
    text = f"""
defaults:
  retentionDays: "0"
  cloudflare:apiToken: {{secure: "v1:abc"}}
environments:
  prod: {{config: {{tenant: x, accountId: {ACCOUNT}}}}}
tenants:
  acme: {{only: [prodd], config: {{debug: true, flowflare:debug: true}}}}
  beta: {{environments: {{dev: {{}}}}}}
"""
    assert list_problems(make_project(tmp_path, text)) == [
        "tenants.yaml:3: `flowflare:retentionDays`: is 0, less than 1",
        "tenants.yaml:4: `defaults.cloudflare:apiToken`: contains a ciphertext, which only one "
        "stack's passphrase decrypts",
        "tenants.yaml:6: `environments.prod.config.tenant`: cannot be set here",
        "tenants.yaml:8: `tenants.acme.only.0`: there is no environment `prodd`",
        "tenants.yaml:8: `tenants.acme.config.flowflare:debug`: `debug` is the same key",
        "tenants.yaml:9: `tenants.beta.environments.dev`: there is no environment `dev`",
    ]


def test_names_that_are_too_long_are_reported_at_the_tenant(tmp_path: Path) -> None:
    name = "a" * 40
    text = f"{HEAD}environments: {{prod: {{}}}}\ntenants:\n  b: {{}}\n  {name}: {{}}\n"
    service, database = list_problems(make_project(tmp_path, text))
    assert service.startswith(f"tenants.yaml:5: stack {name}-prod: `flowflare:names.service`")
    assert service.endswith("has 63 characters")
    assert database.endswith("has 58 characters")


def test_a_key_that_all_stacks_lack_is_reported_once(tmp_path: Path) -> None:
    text = "defaults: {}\nenvironments: {prod: {}}\ntenants: {a: , b: , c: }\n"
    assert list_problems(make_project(tmp_path, text)) == [
        "tenants.yaml:1: `flowflare:accountId`: is missing"
    ]


def test_stacks_must_not_share_a_name_or_an_address(tmp_path: Path) -> None:
    text = f"""{HEAD}environments: {{prod: {{}}}}
tenants:
  a: {{config: {{names: {{service: shared}}}}}}
  b: {{config: {{names: {{service: shared}}}}}}
  c: {{config: {{routes: [{{pattern: x.example.com/*, zoneId: {ZONE}}}]}}}}
  d: {{config: {{routes: [{{pattern: x.example.com/*, zoneId: {ZONE}}}]}}}}
  e: {{config: {{domains: [{{hostname: y.example.com, zoneId: {ZONE}}}]}}}}
  f: {{status: suspended, config: {{domains: [{{hostname: y.example.com, zoneId: {ZONE}}}]}}}}
  g: {{config: {{accountId: {"a" * 32}, names: {{service: shared}}}}}}
"""
    assert list_problems(make_project(tmp_path, text)) == [
        "tenants.yaml:5: shared would be the Worker of stacks a-prod, b-prod",
        "tenants.yaml:7: x.example.com/* would be the route of stacks c-prod, d-prod",
    ]


@pytest.mark.parametrize(("key", "kind"), list_own().items())
def test_two_stacks_must_not_create_a_resource_with_the_same_name(
    tmp_path: Path, key: str, kind: Kind
) -> None:
    bindings = json.dumps({"STORE": {key: {**OWN_STORES[key].settings, "name": "shared"}}})
    client = f"{{orders: {{source: orders.js, bindings: {bindings}}}}}"
    text = f"""{HEAD}environments: {{prod: {{}}}}
tenants:
  a: {{config: {{clients: {client}}}}}
  b: {{config: {{clients: {client}}}}}
"""
    root = make_project(tmp_path, text)
    (root / "orders.js").write_text("export default {};")

    assert kind.own is not None
    assert list_problems(root) == [
        f"tenants.yaml:5: shared would be the {kind.own.words} of stacks a-prod, b-prod"
    ]


def test_the_limits_of_an_account_must_not_be_exceeded(tmp_path: Path) -> None:
    text = f"""{HEAD}environments: {{prod: {{config: {{retentionDays: 3}}}}}}
limits:
  workers: 2
  cronTriggers: 2
tenants: {{a: , b: , c: {{config: {{accountId: {"a" * 32}}}}}, d: {{status: suspended}}}}
"""
    assert list_problems(make_project(tmp_path, text)) == [
        f"tenants.yaml:4: account {ACCOUNT} would have 3 Workers of the fleet, but the limit is 2"
    ]


def test_without_a_file_the_error_contains_a_working_sample(tmp_path: Path) -> None:
    root = make_project(tmp_path, "")
    (root / "tenants.yaml").unlink()
    with pytest.raises(ConfigError) as caught:
        load_fleet(root)
    sample = str(caught.value.problems[0].remedy).split("\n\n")[1]
    (root / "tenants.yaml").write_text("\n".join(line[4:] for line in sample.splitlines()))
    assert load_fleet(root).stacks() == ("acme-dev", "acme-prod", "beta-prod")


def test_a_thousand_tenants_take_little_time(tmp_path: Path) -> None:
    tenants = "".join(
        f"  t{number}:\n    tags: [eu]\n    config: {{allowedOrigins: [https://t{number}.example]}}\n"
        for number in range(1000)
    )
    text = f"{HEAD}environments: {{prod: {{}}}}\nlimits: {{workers: 1000}}\ntenants:\n{tenants}"
    root = make_project(tmp_path, text)
    before = time.process_time()
    assert len(load_fleet(root).tenants) == 1000
    assert time.process_time() - before < 3


def test_the_schema_for_editors_accepts_the_same_files() -> None:
    check = jsonschema_rs.Draft202012Validator(tenants_schema())
    good = {
        "defaults": {"accountId": ACCOUNT, "flowflare:debug": None, "aws:region": "x"},
        "environments": {
            "dev": None,
            "prod": {"waves": [1, "10%", "100%"], "passphrase": {"env": "A"}},
        },
        "tenants": {"acme": None, "folder": {"status": "retired"}},
        "limits": {"workers": 3},
    }
    assert check.is_valid(good)
    assert check.is_valid(good | {"tenants": {"folder": "tenants"}})
    assert check.is_valid(good | {"tenants": {"command": ["./list"]}})
    assert not check.is_valid(good | {"tenants": {"command": "./list"}})
    for wrong in ({"retentionDays": "x"}, {"tenant": "x"}, {"unknown": 1}):
        assert not check.is_valid(good | {"defaults": wrong})
