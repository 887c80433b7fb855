"""Two keys of a stack's file change, and no other character."""

from pathlib import Path

import pytest

from flowflare.config.edit import set_values
from flowflare.errors import ConfigError

KEYS = {"flowflare:apiKeys": [2, 1], "flowflare:apiKeyInUse": 1}
ADDED = "  flowflare:apiKeys: [2, 1]\n  flowflare:apiKeyInUse: 1\n"

COMMENTED = """\
# The shop's production.
encryptionsalt: v1:abc=:v1:x:y   # do not touch
config:
    cloudflare:apiToken:
        secure: v1:AAAA   # the deploy token
    flowflare:accountId: 'f10f1a4ef10f1a4ef10f1a4ef10f1a4e'   # quoted
    flowflare:apiKeys: [1]          # newest first
    flowflare:apiKeyInUse: 1   # what clients carry

    # Who may call from a browser.
    flowflare:allowedOrigins:
      - https://a.example   # the shop
      - "https://b.example"
"""


def edit(tmp_path: Path, text: str, values: dict[str, int | list[int]] = KEYS) -> str:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_bytes(text.encode())
    text = set_values(file, {(key,): value for key, value in values.items()})
    assert file.read_bytes().decode() == text
    return text


def test_values_are_replaced_in_place(tmp_path: Path) -> None:
    text = edit(tmp_path, COMMENTED, {"flowflare:apiKeys": [2, 1], "flowflare:apiKeyInUse": 2})
    assert text == COMMENTED.replace("[1]", "[2, 1]").replace("InUse: 1", "InUse: 2")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "config:\n" + ADDED),
        ("config:\n", "config:\n" + ADDED),
        ("config: {}\n", 'config: {"flowflare:apiKeys": [2, 1], "flowflare:apiKeyInUse": 1}\n'),
        ("a: b", "a: b\nconfig:\n" + ADDED),
        # After the other keys of its namespace, before the next key.
        (
            "config:\n  flowflare:tenant: acme # t\n  other:key: 1\n# end\n",
            "config:\n  flowflare:tenant: acme # t\n" + ADDED + "  other:key: 1\n# end\n",
        ),
        ("config:\n  other:key: 1", "config:\n  other:key: 1\n" + ADDED),
        (
            "config:\n  flowflare:a:\n    - 1\n    # two\n    - 2 # last\n\n# end\n",
            "config:\n  flowflare:a:\n    - 1\n    # two\n    - 2 # last\n" + ADDED + "\n# end\n",
        ),
        (
            "config:\n  flowflare:apiKeys:\n    - 1\n  flowflare:apiKeyInUse: 1 # now\n",
            "config:\n  flowflare:apiKeys: [2, 1]\n  flowflare:apiKeyInUse: 1 # now\n",
        ),
        (
            "config:\r\n  flowflare:apiKeys: [ 1 ]\r\n",
            "config:\r\n  flowflare:apiKeys: [2, 1]\r\n  flowflare:apiKeyInUse: 1\r\n",
        ),
        (
            '{"config": {"flowflare:apiKeys": [1]}, "x": 1}',
            '{"config": {"flowflare:apiKeys": [2, 1], "flowflare:apiKeyInUse": 1}, "x": 1}',
        ),
    ],
)
def test_keys_are_added_after_others_of_their_namespace(
    tmp_path: Path, before: str, after: str
) -> None:
    assert edit(tmp_path, before) == after
    assert edit(tmp_path, after) == after


def test_a_file_that_cannot_be_edited_safely_is_not_changed(tmp_path: Path) -> None:
    text = "x: &keys [1]\nconfig:\n  flowflare:apiKeys: *keys\n"
    with pytest.raises(ConfigError, match="without an anchor or an alias"):
        edit(tmp_path, text)
    file = tmp_path / "Pulumi.prod.yaml"
    assert file.read_text() == text
    with pytest.raises(ConfigError, match="invalid YAML"):
        edit(tmp_path, "config: [\n")
    assert list(tmp_path.iterdir()) == [file]


def test_a_symbolic_link_and_the_files_mode_are_kept(tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_text("config: {}\n")
    real.chmod(0o640)
    link = tmp_path / "Pulumi.prod.yaml"
    link.symlink_to(real)
    set_values(link, {("flowflare:apiKeys",): [2, 1]})
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "apiKeys" in real.read_text()
