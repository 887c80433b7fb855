"""Where a stack's file has a value, so that nothing beside it is lost."""

from pathlib import Path

import pytest

from flowflare.config.files import Project, read_project
from flowflare.config.placing import find_client, parse_key, place_value, write_value
from flowflare.errors import ConfigError

SHARED = """\
name: shop
runtime: python
config:
  flowflare:accountId: f10f1a4ef10f1a4ef10f1a4ef10f1a4e
  flowflare:clients:
    value:
      orders:
        source: orders.js
        secrets:
          MAIL_TOKEN: {environment: MAIL_TOKEN}
      mails:
        source: mails.js
"""
SECRET = {"secure": "v1:new"}
OVERRIDES = "flowflare:clientOverrides"
PAYMENT = ("flowflare:clients", "orders", "secrets", "PAYMENT_KEY")


def open_project(root: Path, stack: str, shared: str = SHARED) -> Project:
    (root / "Pulumi.yaml").write_text(shared)
    (root / "Pulumi.prod.yaml").write_text(stack)
    for name in ("orders.js", "mails.js"):
        (root / name).write_text("export default {};")
    return read_project(root, "prod")


def test_the_first_secret_of_a_client_takes_the_projects_secrets_along(tmp_path: Path) -> None:
    project = open_project(tmp_path, "config: {}\n")
    kept = {"MAIL_TOKEN": {"environment": "MAIL_TOKEN"}, "PAYMENT_KEY": SECRET}
    assert place_value(project, PAYMENT, SECRET) == {(OVERRIDES, "orders", "secrets"): kept}


def test_a_client_with_secrets_of_its_own_gets_one_more(tmp_path: Path) -> None:
    own = f"config:\n  {OVERRIDES}:\n    orders: {{secrets: {{A: {{environment: A}}}}}}\n"
    project = open_project(tmp_path, own)
    assert place_value(project, PAYMENT, SECRET) == {(OVERRIDES, *PAYMENT[1:]): SECRET}


def test_clients_in_the_stacks_own_file_are_changed_there(tmp_path: Path) -> None:
    own = "config:\n  flowflare:clients:\n    orders: {source: orders.js}\n"
    assert place_value(open_project(tmp_path, own), PAYMENT, SECRET) == {PAYMENT: SECRET}


def test_a_key_of_the_project_is_copied_whole(tmp_path: Path) -> None:
    shared = f"{SHARED}  flowflare:names: {{value: {{service: tracker}}}}\n"
    project = open_project(tmp_path, "config: {}\n", shared)
    placed = place_value(project, ("flowflare:names", "database"), "db")
    assert placed == {("flowflare:names",): {"service": "tracker", "database": "db"}}


def test_the_client_of_a_secret_is_found_or_asked_for(tmp_path: Path) -> None:
    project = open_project(tmp_path, "config: {}\n")
    assert find_client(project, "MAIL_TOKEN", None) == "orders"
    assert find_client(project, "NEW", "mails") == "mails"
    with pytest.raises(ConfigError, match="Name one with --client: mails, orders"):
        find_client(project, "NEW", None)
    with pytest.raises(ConfigError, match="there is no client mial"):
        find_client(project, "NEW", "mial")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("debug", ("flowflare:debug",)),
        ("aws:region", ("aws:region",)),
        (
            'clientOverrides.orders.variables["a.b"]',
            (OVERRIDES, "orders", "variables", "a.b"),
        ),
    ],
)
def test_keys_are_parsed_as_pulumis_paths(text: str, keys: tuple[str, ...]) -> None:
    assert parse_key(text) == keys


@pytest.mark.parametrize("text", ["", ":", "flowflare:", "a..b", "a[0]"])
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not the name of a key"):
        parse_key(text)


def test_a_value_that_the_schema_refuses_is_not_written(tmp_path: Path) -> None:
    text = "config:\n  flowflare:retentionDays: 5  # a week\n"
    project = open_project(tmp_path, text)
    with pytest.raises(ConfigError, match=r"Pulumi.prod.yaml:2: .*not a whole number"):
        write_value(project, ("flowflare:retentionDays",), "long")
    assert project.stack_file.read_text() == text
    assert (
        write_value(project, ("flowflare:retentionDays",), 7).values["flowflare:retentionDays"].text
        == "7"
    )
    assert project.stack_file.read_text() == text.replace("5", "7")


def test_one_of_two_mistakes_can_be_corrected(tmp_path: Path) -> None:
    text = "config:\n  flowflare:retentionDays: long\n  flowflare:debug: perhaps\n"
    project = open_project(tmp_path, text)
    write_value(project, ("flowflare:debug",), True)
    assert project.stack_file.read_text() == text.replace("perhaps", "true")
