"""Which leaves of a configuration are secrets, encrypted and decrypted."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from flowflare.config.files import read_project
from flowflare.config.load import load_stack
from flowflare.config.values import secure_paths
from flowflare.errors import ConfigError
from flowflare.model.secret_sources import ConfigSource

FILE = """\
config:
  flowflare:accountId: f10f1a4ef10f1a4ef10f1a4ef10f1a4e
  cloudflare:apiToken: { secure: "v1:token" }
  flowflare:clients:
    orders:
      source: a.js
      variables: { LIST: [a, { b: { secure: "v1:b" } }] }
      secrets: { KEY: { secure: "v1:key" } }
"""
KEY = ("flowflare:clients", "orders", "secrets", "KEY")
INSIDE_A_VARIABLE = ("flowflare:clients", "orders", "variables", "LIST", 1, "b")


def test_secret_leaves_are_found_in_the_files(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(FILE)
    found = secure_paths(read_project(tmp_path, "dev").values)
    assert found == {("cloudflare:apiToken",), KEY, INSIDE_A_VARIABLE}


OPENED = {
    "flowflare:accountId": "f" * 32,
    "flowflare:clients": '{"orders": {"source": "a.js", "secrets": {"KEY": "opened"}}}',
}


def test_a_decrypted_secret_is_still_a_secret() -> None:
    [client] = load_stack(OPENED, project="shop", stack="dev", secure=[KEY]).clients
    assert client.secrets == {"KEY": ConfigSource(value=SecretStr("opened"))}
    assert "opened" not in repr(client)


def test_a_secret_in_plain_text_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="is written in plain text") as caught:
        load_stack(OPENED, project="shop", stack="dev")
    assert "opened" not in str(caught.value)


def test_the_remedy_for_a_client_of_the_project_is_an_override() -> None:
    places = {"flowflare:clients.orders.secrets.KEY": ("Pulumi.yaml", 9)}
    with pytest.raises(ConfigError) as caught:
        load_stack(OPENED, project="shop", stack="dev", origins=places)
    [problem] = caught.value.problems
    key = "flowflare:clientOverrides.orders.secrets.KEY"
    assert problem.remedy == f"Encrypt it: flowflare secrets set '{key}' -s STACK"


def test_a_decrypted_secret_among_the_variables_is_refused() -> None:
    clients = '{"orders": {"source": "a.js", "variables": {"LIST": ["a", {"b": "opened"}]}}}'
    opened = OPENED | {"flowflare:clients": clients}
    with pytest.raises(ConfigError, match="everyone could read") as caught:
        load_stack(opened, project="shop", stack="dev", secure=[INSIDE_A_VARIABLE])
    assert "opened" not in str(caught.value)
