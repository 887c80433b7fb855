"""Hostile or broken YAML is quickly reported as a problem with its place, without a traceback."""

from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.config.load import load_stack
from flowflare.errors import ConfigError

PROJECT = "name: shop\n"


def refusal(root: Path, text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    (root / "Pulumi.yaml").write_text(PROJECT)
    (root / "Pulumi.dev.yaml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_project(root, "dev")
    return str(caught.value)


def doubling(first: str, each: str) -> str:
    """Make keys of which each contains the key before it nine times."""
    lines = [f"  p:k0: &k0 {first}"]
    for level in range(1, 30):
        before = ", ".join([f"*k{level - 1}"] * 9)
        lines.append(f"  p:k{level}: &k{level} {each.replace('...', before)}")
    return "config:\n" + "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("config:\n  p:a: &a [*a]\n", 2),
        ("config:\n  p:a: &a\n    value: {inner: *a}\n", 2),
        ("config: &c\n  <<: *c\n", 1),
        ("config:\n  p:a: &a {<<: [*a]}\n", 2),
    ],
)
def test_a_value_that_contains_itself_is_refused(tmp_path: Path, text: str, line: int) -> None:
    message = refusal(tmp_path, text)
    assert f"Pulumi.dev.yaml:{line}: the value contains itself, through an alias" in message


@pytest.mark.parametrize("each", ["[...]", "{<<: [...]}"])
def test_aliases_that_multiply_are_refused(tmp_path: Path, each: str) -> None:
    message = refusal(tmp_path, doubling("{a: 1}", each))
    assert ": the value expands to more than 2,000,000 values, most of them through" in message
    assert "Pulumi.dev.yaml:" in message


def test_many_aliases_that_do_not_multiply_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    aliases = ", ".join(["*a"] * 5000)
    text = f"config:\n  p:a: &a {{x: 1}}\n  p:b: [{aliases}]\n"
    (tmp_path / "Pulumi.dev.yaml").write_text(text)
    assert read_project(tmp_path, "dev").values["p:b"].text.count('{"x":1}') == 5000


@pytest.mark.parametrize("depth", [101, 900, 5000])
def test_a_value_that_is_nested_too_deeply_is_refused(tmp_path: Path, depth: int) -> None:
    message = refusal(tmp_path, "config:\n  p:a: " + "[" * depth + "]" * depth)
    assert "Pulumi.dev.yaml" in message
    assert "deep" in message


def test_an_escape_that_is_not_a_character_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, 'config:\n  p:a: "\\UFFFFFFFF"\n')
    assert "Pulumi.dev.yaml: invalid YAML: an escape does not name a character" in message


@pytest.mark.parametrize("data", [b"config:\n  p:a: \xe9\n", "config: {}".encode("utf-16")])
def test_another_encoding_than_utf_8_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "Pulumi.dev.yaml: is not UTF-8 text" in refusal(tmp_path, data)


@pytest.mark.parametrize("text", ["config:\n  p:a: x\0y\n", "config:\n  p:a: \x07\n"])
def test_characters_that_yaml_forbids_are_refused(tmp_path: Path, text: str) -> None:
    assert "Pulumi.dev.yaml: invalid YAML: " in refusal(tmp_path, text)


def test_a_long_list_of_problems_is_cut(tmp_path: Path) -> None:
    message = refusal(tmp_path, "config:\n" + "  p:a:\n" * 1001)
    assert message.startswith("1001 problems in the configuration:\n")
    assert message.endswith("\n  and 901 more")


def test_a_number_with_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  flowflare:retentionDays: " + "9" * 5000)
    project = read_project(tmp_path, "dev")
    texts = {key: value.text for key, value in project.values.items()}
    with pytest.raises(ConfigError, match=r"Pulumi\.dev\.yaml:2: `flowflare:retentionDays`: "):
        load_stack(texts, project="shop", stack="dev", origins=project.places)
