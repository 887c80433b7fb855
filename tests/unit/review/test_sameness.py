"""When stacks change in the same way, and when they do not, however they differ elsewhere."""

from typing import Any

import pytest

from flowflare.review.sameness import Change, change_of, whole
from flowflare.values.wire import SIGNATURE

SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "a"}


def stack(**inputs: Any) -> dict[str, Any]:
    """A recording of one Worker with these inputs."""
    one = {"urn": "urn:s", "type": "t", "custom": True, "inputs": inputs}
    return {"resources": [one], "failures": [], "aliases": {}, "error": ""}


def change(old: dict[str, Any], new: dict[str, Any]) -> Change:
    return change_of(stack(**old), stack(**new))


def bound(*items: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "type": "plain_text", "text": text} for name, text in items]


@pytest.mark.parametrize(
    ("old", "new", "other_old", "other_new"),
    [
        pytest.param(
            {"bindings": bound(("A", "1"), ("SHOP", "north"))},
            {"bindings": bound(("A", "2"), ("SHOP", "north"))},
            {"bindings": bound(("A", "1"), ("SHOP", "south"))},
            {"bindings": bound(("A", "2"), ("SHOP", "south"))},
            id="another variable that stays",
        ),
        pytest.param(
            {"content": "// a.js\nnorth\nold\n"},
            {"content": "// a.js\nnorth\nnew\n"},
            {"content": "// a.js\nsouth\nold\n"},
            {"content": "// a.js\nsouth\nnew\n"},
            id="another line of code that stays",
        ),
        pytest.param(
            {"key": SECRET, "date": "1"},
            {"key": SECRET, "date": "2"},
            {"key": SECRET | {"ciphertext": "b"}, "date": "1"},
            {"key": SECRET | {"ciphertext": "b"}, "date": "2"},
            id="another secret that stays",
        ),
        pytest.param(
            {"key": SECRET},
            {"key": SECRET | {"ciphertext": "b"}},
            {"key": SECRET | {"ciphertext": "c"}},
            {"key": SECRET | {"ciphertext": "d"}},
            id="other secrets that are rewritten",
        ),
    ],
)
def test_these_change_in_the_same_way(old: Any, new: Any, other_old: Any, other_new: Any) -> None:
    one, other = change(old, new), change(other_old, other_new)
    assert one.key == other.key
    assert one.unseen != other.unseen


@pytest.mark.parametrize(
    ("old", "new", "other_old", "other_new"),
    [
        pytest.param({"date": "1"}, {"date": "2"}, {"date": "1"}, {"date": "3"}, id="new value"),
        pytest.param({"date": "1"}, {"date": "3"}, {"date": "2"}, {"date": "3"}, id="old value"),
        pytest.param(
            {"bindings": bound(("A", "1"))},
            {"bindings": bound(("A", "2"))},
            {"bindings": bound(("B", "1"))},
            {"bindings": bound(("B", "2"))},
            id="binding",
        ),
        pytest.param(
            {"content": "// a.js\nold"},
            {"content": "// a.js\nnew"},
            {"content": "// b.js\nold"},
            {"content": "// b.js\nnew"},
            id="source",
        ),
        pytest.param(
            {"bindings": [*bound(("A", "1")), *bound(("B", "1"))]},
            {"bindings": [*bound(("B", "1")), *bound(("A", "1"))]},
            {"bindings": [*bound(("A", "1")), *bound(("B", "1"))]},
            {"bindings": [*bound(("A", "1")), *bound(("B", "1"))]},
            id="order",
        ),
        pytest.param({}, {"key": SECRET}, {}, {"key": "plain"}, id="a secret or none"),
        pytest.param(
            {"key": SECRET}, {"key": SECRET}, {"key": SECRET},
            {"key": SECRET | {"ciphertext": "b"}}, id="rewritten or not",
        ),
    ],
)  # fmt: skip
def test_these_do_not(old: Any, new: Any, other_old: Any, other_new: Any) -> None:
    assert change(old, new).key != change(other_old, other_new).key


def test_a_stack_that_comes_is_none_that_goes() -> None:
    one = stack(date="1")
    assert change_of(None, one).key != change_of(one, None).key


def test_lines_beside_a_change_are_told() -> None:
    code = [f"line {number}" for number in range(9)]
    old, new = "\n".join(code), "\n".join([*code[:4], "new", *code[5:]])
    assert change({"content": old}, {"content": new}).context == tuple(code[2:4] + code[5:7])


def test_own_words_get_common_ones_and_whole_values_only_as_a_whole() -> None:
    raw = stack(name="ann-prod-db", env="prod", other="production")
    words = {"words": {"ann-prod": "<tenant>-<environment>", "=prod": "<environment>"}}
    (resource,) = whole(raw | words, {})["resources"]
    assert resource["inputs"] == {
        "name": "<tenant>-<environment>-db",
        "env": "<environment>",
        "other": "production",
    }


def test_long_texts_are_in_their_places() -> None:
    raw = stack(content={"$text": "digest"}) | {"words": {"ann": "<tenant>"}}
    (resource,) = whole(raw, {"digest": "for ann"})["resources"]
    assert resource["inputs"] == {"content": "for <tenant>"}
