"""Pulumi's passphrase format: what the CLI made opens, what is made here is of its form."""

import base64

import pytest

from flowflare.errors import SecretError
from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.properties import Secret

SALT = "v1:AnwsOFAODHA=:v1:QE5hRlR7ZbNE6aMM:wb1Wp2YZ5zw54f1/ZbQszR/UJjrEKA=="


def vault(passphrase: str = "correct horse") -> Vault:
    return Vault(Passphrase(passphrase, "the test"), SALT)


def test_round_trip_with_a_fresh_nonce_each_time() -> None:
    one, two = vault().seal_text("hush"), vault().seal_text("hush")
    assert one != two
    assert vault().open_text(one) == vault().open_text(two) == "hush"
    version, nonce, sealed = one.split(":")
    assert version == "v1"
    assert len(base64.b64decode(nonce)) == 12
    assert len(base64.b64decode(sealed)) == len("hush") + 16


def test_a_new_vault_makes_its_own_salt_and_others_open_it() -> None:
    made = Vault(Passphrase("new", "the test"))
    sealed = made.seal(Secret({"a": 1.0}))
    assert made.salt.count(":") == 4
    assert Vault(Passphrase("new", "the test"), made.salt).open(sealed) == {"a": 1.0}
    assert Vault(Passphrase("new", "the test")).salt != made.salt


def test_a_wrong_passphrase_names_where_it_is_from() -> None:
    with pytest.raises(SecretError, match="the passphrase from the test does not decrypt"):
        vault("wrong").check()


@pytest.mark.parametrize("text", ["v1:AAAA", "v2:a:b", "", "v1:!!:??", "v1:AAAA:AAAA"])
def test_what_is_not_a_secret_is_refused(text: str) -> None:
    with pytest.raises(SecretError):
        vault().open_text(text)


@pytest.mark.parametrize(
    "salt",
    [
        "v1:x",
        "nonsense",
        f"v2{SALT[2:]}",
        SALT.replace("Anws", "An!s"),
        SALT.replace("QE5h", "QE"),
        SALT.removesuffix("=="),
    ],
)
def test_a_damaged_salt_is_refused_with_its_place_and_a_remedy(salt: str) -> None:
    with pytest.raises(SecretError, match=r"salt in Pulumi\.dev\.yaml:3 is damaged") as refused:
        Vault(Passphrase("correct horse", "the test"), salt, "Pulumi.dev.yaml:3").check()
    assert "from version control" in (refused.value.remedy or "")


def test_a_secret_is_sealed_once() -> None:
    one, secret = vault(), Secret("hush")
    assert one.seal(secret) == one.seal(secret)
    assert vault().seal(secret) != one.seal(Secret("hush"))
