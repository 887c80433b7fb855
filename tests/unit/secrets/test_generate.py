"""The API key's form."""

import re

from flowflare.secrets.generate import generate_api_key


def test_a_key_names_its_environment_and_itself() -> None:
    key = generate_api_key("prod", random_bytes=lambda count: bytes(range(count)))
    assert key.key_id == "00010203"
    assert key.text == "ff_prod_00010203_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def test_keys_differ_and_are_never_shown() -> None:
    one, other = generate_api_key("dev"), generate_api_key("dev")
    assert one.text != other.text
    assert re.fullmatch(r"ff_dev_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", one.text)
    assert one.text not in repr(one)
