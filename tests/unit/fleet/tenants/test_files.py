"""The files that `flowflare fleet config` writes, and what it keeps of existing files."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some

from flowflare.config.files import read_project, read_project_file
from flowflare.config.yaml_nodes import ValueReader, YamlText
from flowflare.errors import ConfigError, FleetError
from flowflare.fleet.tenants.files import refuse_outdated, stack_files, write
from flowflare.fleet.tenants.prune import prune
from flowflare.fleet.tenants.stack_text import MARK, hide_ciphertexts, stack_text
from tests.unit.fleet.tenants.fleets import ACCOUNT, HEAD, load_fleet, make_project

TWO = "environments: {prod: {}}\ntenants: {acme: {config: {debug: true}}, beta: }\n"
SALT = "encryptionsalt: v1:AF997KeICRo=:v1:MQqpVALWT0KuyMzt:d6xziHeZHaKrtL4jRUy6bdiy62Kz4w=="
JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=8,
)


def kinds(root: Path) -> dict[str, str]:
    return {file.stack: file.kind for file in stack_files(load_fleet(root))}


def write_files(root: Path) -> dict[str, bytes]:
    write(stack_files(load_fleet(root)), root)
    return {path.name: path.read_bytes() for path in sorted(root.glob("Pulumi.*.yaml"))}


def test_plain_pulumi_reads_the_configuration_of_the_fleet(tmp_path: Path) -> None:
    root = make_project(tmp_path, HEAD + TWO)
    assert kinds(root) == {"acme-prod": "new", "beta-prod": "new"}
    first = write_files(root)
    assert kinds(root) == {"acme-prod": "same", "beta-prod": "same"}
    acme = read_project(root, "acme-prod")
    assert {key: value.text for key, value in acme.values.items()} == {
        "flowflare:tenant": "acme",
        "flowflare:environment": "prod",
        "flowflare:accountId": ACCOUNT,
        "flowflare:engine": "embedded",
        "flowflare:debug": "true",
    }
    for path in root.glob("Pulumi.*.yaml"):
        path.unlink()
    assert write_files(root) == first


@settings(max_examples=60, deadline=None)
@given(some.dictionaries(some.text(), JSON, max_size=4))
def test_any_value_is_read_as_it_was_written(values: dict[str, object]) -> None:
    text = stack_text({"flowflare:x": values}, {})
    problems: list[object] = []
    node = YamlText("a", text).parse(problems)  # type: ignore[arg-type]
    assert node is not None
    read = ValueReader("a", problems).value(node, "", 1)  # type: ignore[arg-type]
    assert (read, problems) == ({"config": {"flowflare:x": values}}, [])


def test_pulumis_own_keys_are_kept_and_all_others_are_replaced(tmp_path: Path) -> None:
    root = make_project(tmp_path, HEAD + TWO)
    write_files(root)
    file = root / "Pulumi.acme-prod.yaml"
    # The file after the CLI's `stack init`, `config set` and `config set --secret --path`.
    text = file.read_text().replace("debug: true", 'debug: "true"')
    secret = "  cloudflare:apiToken:\n    secure: v1:abc=\n"
    file.write_text(f"{text}{secret}{SALT}\n")
    assert kinds(root)["acme-prod"] == "same"
    inside = "  flowflare:clientOverrides: {orders: {secrets: {A: {secure: v1:d}}}}\n"
    file.write_text(f"{text}{secret}{inside}  flowflare:workersDev: false\n{SALT}\n")
    [changed] = write(stack_files(load_fleet(root)), root)
    loaded = yaml.safe_load(changed.path.read_text())
    assert loaded.pop("encryptionsalt") == SALT.split(" ")[1]
    assert loaded["config"].pop("cloudflare:apiToken") == {"secure": "v1:abc="}
    overrides = loaded["config"].pop("flowflare:clientOverrides")
    assert overrides == {"orders": {"secrets": {"A": {"secure": "v1:d"}}}}
    assert "flowflare:workersDev" not in loaded["config"]
    assert kinds(root)["acme-prod"] == "same"


def test_a_value_of_the_fleet_replaces_a_ciphertext(tmp_path: Path) -> None:
    given = "{clientOverrides: {orders: {variables: {X: y}}}, token:a: plain}"
    root = make_project(tmp_path, f"{HEAD}environments: {{prod: {{}}}}\ntenants: {{acme: }}\n")
    write_files(root)
    file = root / "Pulumi.acme-prod.yaml"
    inside = "  flowflare:clientOverrides: {orders: {secrets: {A: {secure: v1:y}}}}\n"
    file.write_text(f"{file.read_text()}  token:a: {{secure: v1:x}}\n{inside}")
    pulumi = "config:\n  flowflare:clients: {value: {orders: {source: a.js}}}\n"
    (root / "a.js").write_text("")
    tenants = f"{HEAD}environments: {{prod: {{}}}}\ntenants: {{acme: {{config: {given}}}}}\n"
    write_files(make_project(tmp_path, tenants, pulumi=pulumi))
    config = yaml.safe_load(file.read_text())["config"]
    assert config["token:a"] == "plain"
    assert config["flowflare:clientOverrides"] == {
        "orders": {"variables": {"X": "y"}, "secrets": {"A": {"secure": "v1:y"}}}
    }


def test_a_handwritten_file_loses_no_key(tmp_path: Path) -> None:
    root = make_project(tmp_path, HEAD + TWO)
    file = root / "Pulumi.acme-prod.yaml"
    file.write_text("config:\n  flowflare:stuckAfterMinutes: 3\n")
    with pytest.raises(ConfigError, match="`flowflare:stuckAfterMinutes` would be lost"):
        stack_files(load_fleet(root))
    file.write_text(f"{SALT}\nconfig:\n  flowflare:debug: false\n")
    assert write_files(root)["Pulumi.acme-prod.yaml"].startswith(MARK.encode())
    assert SALT.split(" ")[1] in file.read_text()


def test_outdated_files_stop_other_commands(tmp_path: Path) -> None:
    root = make_project(tmp_path, HEAD + TWO)
    with pytest.raises(FleetError, match=r"Pulumi\.acme-prod\.yaml, Pulumi\.beta-prod\.yaml"):
        refuse_outdated(stack_files(load_fleet(root)))
    write_files(root)
    refuse_outdated(stack_files(load_fleet(root)))


def test_a_stale_file_is_deleted_only_if_its_stack_has_no_resources(tmp_path: Path) -> None:
    root = make_project(tmp_path, HEAD + TWO)
    write_files(root)
    (root / "Pulumi.other-prod.yaml").write_text("config: {}\n")
    make_project(tmp_path, f"{HEAD}environments: {{prod: {{}}}}\ntenants: {{}}\n")
    assert kinds(root) == {"acme-prod": "stale", "beta-prod": "stale"}
    state = root / ".flowflare" / "state" / ".pulumi" / "stacks" / "shop"
    state.mkdir(parents=True)
    (state / "acme-prod.json").write_text("{broken")
    acme, beta = prune(
        stack_files(load_fleet(root)), read_project_file(root), {"HOME": str(tmp_path)}
    )
    assert "cannot find out whether its stack has resources" in acme.why_kept
    assert not beta.why_kept
    assert [path.name for path in sorted(root.glob("Pulumi.*.yaml"))] == [
        "Pulumi.acme-prod.yaml",
        "Pulumi.other-prod.yaml",
    ]


def test_a_killed_command_can_be_run_again(tmp_path: Path) -> None:
    root = make_project(tmp_path / "a", HEAD + TWO)
    whole = write_files(make_project(tmp_path / "b", HEAD + TWO))
    files = stack_files(load_fleet(root))
    write(files[:1], root)
    # A kill during a write leaves the draft, but no file.
    (root / ".flowflare" / "fleet-config.draft").write_text("conf")
    assert write_files(root) == whole


SEALED = """# who: ü
encryptionsalt: v1:one
config:
  "ä:b": {secure: "v1:two", other: 2}
  flowflare:c:
    - secure: >-
        v1:three
        four
    - {"secure": 'v1:five'}
  flowflare:d: secure
"""


def test_a_difference_shows_no_ciphertext_in_any_notation() -> None:
    assert hide_ciphertexts(SEALED).splitlines() == [
        "# who: ü",
        "encryptionsalt: [secret]",
        "config:",
        '  "ä:b": {secure: [secret], other: 2}',
        "  flowflare:c:",
        "    - secure: [secret]",
        '    - {"secure": [secret]}',
        "  flowflare:d: secure",
    ]
    assert hide_ciphertexts("") == ""
    assert hide_ciphertexts("config: {secure: [v1:six") == "[secret]\n"


DAMAGED = """config:
  a:b: {secure: [v1:one, &x {secure: v1:two}]}
  c:d:
    secure:
      - v1:three
      # v1:four
      - v1:five
  e:f: {secure: {v1:six: v1:seven}, other: *x}
  ? [{secure: v1:eight}]
  : plain
encryptionsalt:
  v1:nine: v1:ten
"""


def test_a_damaged_ciphertext_is_hidden_even_if_it_is_not_a_string() -> None:
    assert hide_ciphertexts(DAMAGED).splitlines() == [
        "config:",
        "  a:b: {secure: [secret]}",
        "  c:d:",
        "    secure:",
        "      [secret]",
        "  e:f: {secure: [secret], other: *x}",
        "  ? [{secure: [secret]}]",
        "  : plain",
        "encryptionsalt:",
        "  [secret]",
    ]
