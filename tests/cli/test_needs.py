"""`preview` and `up` say what a stack lacks outside of it, all at once, before anything is made."""

import json
from pathlib import Path

import pytest

from tests.cli.command import flowflare

CLIENT = {
    "secrets": {
        "TOKEN": {"environment": "SHOP_TOKEN_THAT_IS_NOT_SET"},
        "KEY": {"file": "no-such-key.pem"},
    },
}


def configure(root: Path, client: object) -> None:
    stack = root / "Pulumi.local.yaml"
    overrides = json.dumps({"orders": client})
    stack.write_text(f"{stack.read_text().rstrip()}\n  flowflare:clientOverrides: {overrides}\n")


@pytest.mark.parametrize("command", ["preview", "up"])
def test_secrets_without_a_value_are_named_before_anything_is_made(
    root: Path, command: str
) -> None:
    configure(root, CLIENT)
    said = flowflare(command, "--cwd", str(root))
    assert said.code == 1
    shown = said.out + said.err
    for key, why in (
        ("TOKEN", "environment variable SHOP_TOKEN_THAT_IS_NOT_SET is not set"),
        ("KEY", "no-such-key.pem"),
    ):
        assert f"`flowflare:clientOverrides.orders.secrets.{key}`: " in shown
        assert why in shown
    assert "Pulumi.local.yaml:" in shown


def test_what_cannot_be_looked_up_yet_is_a_warning(root: Path) -> None:
    configure(root, {"bindings": {"MAIL": {"type": "service", "service": "mailer"}}})
    said = flowflare("preview", "--cwd", str(root))
    assert said.code == 0
    assert (
        "warning: not looked up: Worker mailer (its embedded Cloudflare does not run)" in said.err
    )
