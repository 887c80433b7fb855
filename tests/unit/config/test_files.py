"""How Pulumi.yaml and a stack's file are read."""

import textwrap
from pathlib import Path

import pytest

from flowflare.config.files import read_project, stacks_in
from flowflare.config.values import ConfigValue
from flowflare.errors import ConfigError

PROJECT = """
name: shop
main: infra/
config:
  flowflare:clients:
    value:
      orders:
        source: orders.js
  flowflare:debug: true
  region: eu
"""


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / f"Pulumi.{name}.yaml".replace(".project.", ".")
        path.write_text(textwrap.dedent(text).lstrip("\n"))
    return root


def refusal(root: Path, stack: str = "dev") -> str:
    with pytest.raises(ConfigError) as caught:
        read_project(root, stack)
    return str(caught.value)


def test_the_stack_replaces_whole_keys_of_the_project(tmp_path: Path) -> None:
    stack = """
    encryptionsalt: v1:abc=:v1:def:ghi
    config:
      flowflare:clients: {billing: {source: billing.ts}}
    """
    project = read_project(write(tmp_path, project=PROJECT, dev=stack), "dev")
    assert dict(project.values) == {
        "flowflare:clients": ConfigValue(
            '{"billing":{"source":"billing.ts"}}', secret=False, file="Pulumi.dev.yaml", line=3
        ),
        "flowflare:debug": ConfigValue("true", secret=False, file="Pulumi.yaml", line=8),
        "shop:region": ConfigValue("eu", secret=False, file="Pulumi.yaml", line=9),
    }
    assert (project.name, project.stack, project.main) == ("shop", "dev", tmp_path / "infra")
    assert project.encryption_salt == "v1:abc=:v1:def:ghi"
    assert project.places["flowflare:clients.billing.source"] == ("Pulumi.dev.yaml", 3)
    assert "flowflare:clients.orders" not in project.places


def test_secrets_stay_encrypted_and_are_marked(tmp_path: Path) -> None:
    stack = """
    config:
      cloudflare:apiToken:
        secure: v1:a:b
      flowflare:clients:
        orders: {variables: {TOKEN: {secure: v1:c:d}}}
    """
    values = read_project(write(tmp_path, project=PROJECT, dev=stack), "dev").values
    assert values["cloudflare:apiToken"] == ConfigValue(
        "v1:a:b", secret=True, file="Pulumi.dev.yaml", line=2
    )
    assert values["flowflare:clients"].secret
    assert '{"TOKEN":{"secure":"v1:c:d"}}' in values["flowflare:clients"].text


def test_plain_scalars_are_read_as_pulumi_reads_them(tmp_path: Path) -> None:
    stack = """
    config:
      a: yes
      b: 2026-11-01
      c: "true"
      d: [1, 1.5, null, "2"]
      e: &base {x: 1, y: 2}
      f: {<<: *base, y: 3}
    """
    values = read_project(write(tmp_path, project=PROJECT, dev=stack), "dev").values
    assert {key[5:]: value.text for key, value in values.items() if key.startswith("shop:")} == {
        "region": "eu",
        "a": "yes",
        "b": "2026-11-01",
        "c": "true",
        "d": '[1,1.5,null,"2"]',
        "e": '{"x":1,"y":2}',
        "f": '{"x":1,"y":3}',
    }


def test_every_problem_of_both_files_is_reported_at_once(tmp_path: Path) -> None:
    project = """
    main: infra/
    config:
      flowflare:clients:
        orders: {source: orders.js}
      flowflare:debug:
    """
    stack = """
    config:
      flowflare:debug: true
      flowflare:debug: false
    """
    assert refusal(write(tmp_path, project=project, dev=stack)) == textwrap.dedent("""\
        4 problems in the configuration:
          Pulumi.yaml:1: `name` is missing
            Write the project's name: letters, digits, `-`, `_`, `.`, for example flowflare.
          Pulumi.yaml:3: `flowflare:clients`: in Pulumi.yaml, a structured value must be under `value:`
            Below `flowflare:clients:`, write an indented `value:` with the value.
          Pulumi.yaml:5: `flowflare:debug` has no value
            Give `flowflare:debug` a value, or delete the line.
          Pulumi.dev.yaml:3: `flowflare:debug` is given twice, first on line 2
            Keep one of the two.""")  # noqa: E501


def test_invalid_yaml_is_shown_with_its_line(tmp_path: Path) -> None:
    stack = "config:\n  flowflare:debug: [true\n  flowflare:tenant: acme\n"
    text = refusal(write(tmp_path, project=PROJECT, dev=stack))
    assert text.startswith("1 problem in the configuration:\n  Pulumi.dev.yaml:3: invalid YAML: ")


def test_for_an_unknown_stack_the_existing_stacks_are_listed(tmp_path: Path) -> None:
    root = write(tmp_path, project=PROJECT, dev="", prod="")
    assert refusal(root, "devv") == textwrap.dedent("""\
        1 problem in the configuration:
          Pulumi.devv.yaml: stack `devv` has no such file
            Stacks here: dev, prod. A new stack needs Pulumi.devv.yaml.""")
    assert stacks_in(root) == ["dev", "prod"]


def test_in_a_folder_without_a_project_the_error_says_how_to_create_one(tmp_path: Path) -> None:
    assert "flowflare init DIR" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("- a\n", "Pulumi.dev.yaml:1: has no keys"),
        ("config: 3\n", "Pulumi.dev.yaml:1: `config` has no keys"),
    ],
)
def test_a_wrong_shape_is_refused(tmp_path: Path, stack: str, message: str) -> None:
    assert message in refusal(write(tmp_path, project=PROJECT, dev=stack))


@pytest.mark.parametrize(
    ("project", "stack", "refused"),
    [
        (
            "name: shop\nconfg:\n  flowflare:debug: true\n",
            "config: {}\n",
            "Pulumi.yaml:2: `confg`: Pulumi has no such key\n    Did you mean `config`?",
        ),
        (
            "name: shop\n",
            "configs:\n  flowflare:debug: true\n",
            "Pulumi.dev.yaml:1: `configs`: Pulumi has no such key\n    Did you mean `config`?",
        ),
        ("name: shop\n", "secretsProvider: default\n", "Did you mean `secretsprovider`?"),
        ("name: shop\n", "zzz: 1\n", "Known keys: config, encryptedkey, encryptionsalt, env"),
    ],
)
def test_an_unknown_top_level_key_is_refused_with_the_most_similar_known_key(
    tmp_path: Path, project: str, stack: str, refused: str
) -> None:
    assert refused in refusal(write(tmp_path, project=project, dev=stack))


def test_unknown_keys_of_both_files_are_reported_at_once(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, project="name: shop\nconfg: {}\n", dev="cnfig: {}\n"))
    assert "`confg`" in message
    assert "`cnfig`" in message


def test_pulumis_own_keys_and_keys_with_a_prefix_are_accepted(tmp_path: Path) -> None:
    project = """
    name: shop
    runtime: {name: python, options: {virtualenv: venv}}
    main: infra
    description: a shop
    author: ann
    website: https://shop.example
    license: MIT
    stackConfigDir: ""
    template: {description: a template}
    backend: {url: "file://state"}
    options: {refresh: always}
    packages: {random: random@4.0.0}
    plugins: {providers: []}
    requiredPulumiVersion: ">=3"
    x-common: &common {a: 1}
    config: {shop:a: {value: *common}}
    """
    stack = """
    environment: [shop/dev]
    secretsprovider: passphrase
    encryptedkey: abc
    encryptionsalt: v1:abc=:v1:def:ghi
    config: {}
    """
    assert read_project(write(tmp_path, project=project, dev=stack), "dev").name == "shop"


def test_a_pulumi_yaml_project_may_contain_its_program(tmp_path: Path) -> None:
    project = "name: shop\nruntime: yaml\nresources: {}\n"
    assert read_project(write(tmp_path, project=project, dev="config: {}\n"), "dev").name == "shop"
