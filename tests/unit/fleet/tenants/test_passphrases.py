"""A stack's run gets its own passphrase and nobody else's."""

from pathlib import Path

import pytest

from flowflare.errors import SecretError
from flowflare.fleet.tenants.passphrases import Passphrases
from tests.unit.fleet.tenants.fleets import HEAD, fleet, project

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
    root = project(tmp_path, TEXT)
    (root / "keys").mkdir()
    (root / "keys" / "c-dev").write_text(" two \n")
    return Passphrases(fleet(root), root, ENVIRON)


def test_each_from_its_source(tmp_path: Path) -> None:
    found = passphrases(tmp_path)
    of = {stack: found.environ_of(stack) for stack in ("a-b-prod", "c-dev", "d-prod", "e-dev")}
    assert [one["PULUMI_CONFIG_PASSPHRASE"] for one in of.values()] == [
        "one",
        " two ",
        "key-of-d",
        "all",
    ]
    # The variable of a tenant is in nobody's environment, not even in its own.
    assert not any("PASS_A_B_PROD" in one for one in of.values())
    assert not any("all" in one.values() for stack, one in of.items() if stack != "e-dev")


def test_one_that_is_missing_names_its_source_alone(tmp_path: Path) -> None:
    found = passphrases(tmp_path)
    with pytest.raises(SecretError, match="environment variable PASS_E_PROD has no passphrase"):
        found.environ_of("e-prod")
    with pytest.raises(SecretError, match="file keys/c-prod has no passphrase of stack c-prod"):
        found.environ_of("c-prod")
