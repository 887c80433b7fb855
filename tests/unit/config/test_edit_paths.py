"""Texts inside structured keys of a stack's file change, and no other character."""

from pathlib import Path
from typing import Any

import pytest

from flowflare.config.edit import set_values
from flowflare.errors import ConfigError

NAMES = {("flowflare:names", "service"): "tracker", ("flowflare:names", "clients", "a"): "shop"}
BLOCK = """\
  flowflare:names:
    service: tracker
    clients:
      a: shop
"""
COMMENTED = """\
# The shop's production.
config:
    cloudflare:apiToken:
        secure: v1:AAAA   # the deploy token
    flowflare:names:   # by hand
        database: 'old'   # since 2025
        service: before      # the tracker

        # Names of clients.
        clients: {b: "two"}
    flowflare:debug: true
"""


def edit(tmp_path: Path, text: str, values: dict[tuple[str, ...], Any]) -> str:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_bytes(text.encode())
    set_values(file, values)
    return file.read_bytes().decode()


def test_comments_are_kept_and_keys_are_added_at_their_place(tmp_path: Path) -> None:
    text = edit(tmp_path, COMMENTED, NAMES)
    after = COMMENTED.replace("service: before ", "service: tracker ")
    assert text == after.replace('{b: "two"}', '{b: "two", "a": shop}')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"config:\n{BLOCK}"),
        ("config:\n", f"config:\n{BLOCK}"),
        (
            "config: {}\n",
            'config: {"flowflare:names": {"service": tracker, "clients": {"a": shop}}}\n',
        ),
        ("a: b", f"a: b\nconfig:\n{BLOCK}"),
        ("config:\n  a:b: 1\r\n".replace("\n", "\r\n"), None),
        ("config:\n  flowflare:names:\n", f"config:\n{BLOCK}"),
        (
            "config:\n  flowflare:a: 1  # one\n  z:y: 2\n# end\n",
            f"config:\n  flowflare:a: 1  # one\n{BLOCK}  z:y: 2\n# end\n",
        ),
    ],
)
def test_missing_keys_are_added(tmp_path: Path, before: str, after: str | None) -> None:
    text = edit(tmp_path, before, NAMES)
    if after is None:
        assert "\n" not in text.replace("\r\n", "")
    else:
        assert text == after


def test_a_text_that_yaml_would_not_read_as_text_is_quoted(tmp_path: Path) -> None:
    values = {("flowflare:trackerTag",): "1", ("flowflare:names", "service"): "yes"}
    text = edit(tmp_path, "config:\n  a:b: 1\n", values)
    assert 'flowflare:trackerTag: "1"' in text
    assert 'service: "yes"' in text


def test_present_values_change_nothing(tmp_path: Path) -> None:
    text = f"config:\n{BLOCK}"
    assert edit(tmp_path, text, NAMES) == text


@pytest.mark.parametrize(
    "text",
    [
        "x: &n {service: one}\nconfig:\n  flowflare:names: *n\n",
        "config:\n  flowflare:names: {service: {deep: 1}}\n",
    ],
)
def test_a_layout_that_cannot_be_edited_safely_is_not_changed(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        edit(tmp_path, text, NAMES)
    assert (tmp_path / "Pulumi.prod.yaml").read_text() == text


SECRETS = """\
config:
  flowflare:clientOverrides:
    orders:
      secrets:   # of the shop
        # The payment provider.
        PAYMENT_KEY:   # rotated yearly
          secure: v1:old   # by Ann
        MAIL_TOKEN: {environment: MAIL}   # from CI
      debug: true
"""


def test_a_mapping_replaces_another_and_the_comments_stay(tmp_path: Path) -> None:
    path = ("flowflare:clientOverrides", "orders", "secrets")
    added = {name: {"secure": "v1:new="} for name in ("PAYMENT_KEY", "MAIL_TOKEN", "NEW")}
    text = edit(tmp_path, SECRETS, {(*path, name): value for name, value in added.items()})
    after = SECRETS.replace("v1:old", "v1:new=").replace(
        " {environment: MAIL}", "\n          secure: v1:new="
    )
    assert text == after.replace(
        "      debug", "        NEW:\n          secure: v1:new=\n      debug"
    )


def test_a_mapping_in_braces_gets_a_secret_in_braces(tmp_path: Path) -> None:
    text = edit(
        tmp_path,
        "config: {a: {b: {environment: B}}}\n",
        {("a", "b"): {"secure": "v1:x:y"}, ("a", "c"): {"secure": "v1:z"}},
    )
    assert text == 'config: {a: {b: {"secure": "v1:x:y"}, "c": {"secure": "v1:z"}}}\n'
