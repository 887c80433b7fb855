"""A stack's run gets only its own passphrase."""

from pathlib import Path

import pytest

from flowflare.errors import SecretError
from flowflare.fleet.tenants.passphrases import Passphrases
from tests.unit.fleet.tenants.fleets import HEAD, load_fleet, make_project

TEXT = (
    HEAD
    + """
environments:
  dev: {}
  prod: {passphrase: {env: "PASS_{TENANT}_{ENVIRONMENT}"}}
tenants:
  a-b: {}
  c: {passphrase: {file: "keys/{tenant}-{environment}"}}
  d: {passphrase: {command: [sh, -c, "printf '%s\\n' key-of-{tenant}"]}}
  e: {}
"""
)
ENVIRON = {"PATH": "/usr/bin:/bin", "PASS_A_B_PROD": "one", "PULUMI_CONFIG_PASSPHRASE": "all"}


def passphrases(tmp_path: Path) -> Passphrases:
    root = make_project(tmp_path, TEXT)
    (root / "keys").mkdir()
    (root / "keys" / "c-dev").write_text(" two \n")
    return Passphrases(load_fleet(root), root, ENVIRON)


def test_each_passphrase_is_read_from_its_source(tmp_path: Path) -> None:
    found = passphrases(tmp_path)
    of = {stack: found.environ_of(stack) for stack in ("a-b-prod", "c-dev", "d-prod", "e-dev")}
    assert [environ["PULUMI_CONFIG_PASSPHRASE"] for environ in of.values()] == [
        "one",
        " two ",
        "key-of-d",
        "all",
    ]
    # No run gets the variable of a tenant's passphrase, not even the tenant's own.
    assert not any("PASS_A_B_PROD" in environ for environ in of.values())
    others = (environ for stack, environ in of.items() if stack != "e-dev")
    assert not any("all" in environ.values() for environ in others)


def test_a_missing_passphrase_is_reported_with_its_source(tmp_path: Path) -> None:
    found = passphrases(tmp_path)
    with pytest.raises(SecretError, match="environment variable PASS_E_PROD has no passphrase"):
        found.environ_of("e-prod")
    with pytest.raises(SecretError, match="file keys/c-prod has no passphrase for stack c-prod"):
        found.environ_of("c-prod")


def test_all_missing_passphrases_are_reported_before_a_rollout(tmp_path: Path) -> None:
    found = passphrases(tmp_path)
    found.refuse_missing(["a-b-prod", "c-dev", "d-prod", "e-dev"])  # a command is not run for it
    with pytest.raises(SecretError) as refused:
        found.refuse_missing(["a-b-prod", "c-prod", "e-prod"])
    assert refused.value.message.splitlines() == [
        "2 stacks have no passphrase:",
        "  stack c-prod: the file keys/c-prod has none",
        "  stack e-prod: the environment variable PASS_E_PROD has none",
    ]
