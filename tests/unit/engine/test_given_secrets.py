"""Which variables and files of a configuration are secrets."""

import json
from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.engine.given_secrets import learn_given_secrets
from flowflare.redaction.run import open_redactor, redact

SHOWN = "of a secret: canary-variable; of a page: <h1>Welcome</h1>"


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        (
            "flowflare:clients",
            {"shop": {"secrets": {"TOKEN": {"environment": "SHOP_TOKEN"}}}},
            SHOWN.replace("canary-variable", "[secret]"),
        ),
        (
            "flowflare:client",
            {"bindings": {"KEY": {"type": "secret_text", "text": {"environment": "SHOP_TOKEN"}}}},
            SHOWN.replace("canary-variable", "[secret]"),
        ),
        (
            "flowflare:clients",
            {"shop": {"bindings": {"KEY": {"key_base64": {"environment": "SHOP_TOKEN"}}}}},
            SHOWN.replace("canary-variable", "[secret]"),
        ),
        (
            "flowflare:clients",
            {"shop": {"bindings": {"DB": {"own": {"a": {"b": {"environment": "SHOP_TOKEN"}}}}}}},
            SHOWN.replace("canary-variable", "[secret]"),
        ),
        (
            "flowflare:clients",
            {"shop": {"bindings": {"J": {"json": {"file": "index.html"}}}}},
            SHOWN,
        ),
        ("myapp:page", {"file": "index.html"}, SHOWN),
        ("myapp:page", {"secrets": {"PAGE": {"file": "index.html"}}}, SHOWN),
        ("flowflare:clients", {"shop": {"variables": {"secrets": {"file": "index.html"}}}}, SHOWN),
    ],
)
def test_only_sources_of_the_secrets_of_clients_are_secrets(
    key: str, value: object, shown: str, tmp_path: Path
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(json.dumps({"config": {key: value}}))
    (tmp_path / "index.html").write_text("<h1>Welcome</h1>\n")
    project = read_project(tmp_path, "dev")
    with open_redactor({}):
        learn_given_secrets(project, {"SHOP_TOKEN": "canary-variable"})
        assert redact(SHOWN) == shown
