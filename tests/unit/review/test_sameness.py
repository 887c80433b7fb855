"""Which stacks count as changing in the same way, although they differ elsewhere."""

from typing import Any

import pytest

from flowflare.review.sameness import StackChange, compare_recordings, restore_texts
from flowflare.values.wire import SIGNATURE

SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "a"}


def stack(**inputs: Any) -> dict[str, Any]:
    """Make a recording of one Worker with these inputs."""
    worker = {"urn": "urn:s", "type": "t", "custom": True, "inputs": inputs}
    return {"resources": [worker], "failures": [], "aliases": {}, "error": ""}


def change(old: dict[str, Any], new: dict[str, Any]) -> StackChange:
    return compare_recordings(stack(**old), stack(**new))


def bind(*items: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "type": "plain_text", "text": text} for name, text in items]


@pytest.mark.parametrize(
    ("old", "new", "other_old", "other_new"),
    [
        pytest.param(
            {"bindings": bind(("A", "1"), ("SHOP", "north"))},
            {"bindings": bind(("A", "2"), ("SHOP", "north"))},
            {"bindings": bind(("A", "1"), ("SHOP", "south"))},
            {"bindings": bind(("A", "2"), ("SHOP", "south"))},
            id="another variable that does not change",
        ),
        pytest.param(
            {"content": "// a.js\nnorth\nold\n"},
            {"content": "// a.js\nnorth\nnew\n"},
            {"content": "// a.js\nsouth\nold\n"},
            {"content": "// a.js\nsouth\nnew\n"},
            id="another line of code that does not change",
        ),
        pytest.param(
            {"key": SECRET, "date": "1"},
            {"key": SECRET, "date": "2"},
            {"key": SECRET | {"ciphertext": "b"}, "date": "1"},
            {"key": SECRET | {"ciphertext": "b"}, "date": "2"},
            id="another secret that does not change",
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
def test_these_stacks_change_in_the_same_way(
    old: Any, new: Any, other_old: Any, other_new: Any
) -> None:
    first, second = change(old, new), change(other_old, other_new)
    assert first.key == second.key
    assert first.unseen != second.unseen


@pytest.mark.parametrize(
    ("old", "new", "other_old", "other_new"),
    [
        pytest.param({"date": "1"}, {"date": "2"}, {"date": "1"}, {"date": "3"}, id="new value"),
        pytest.param({"date": "1"}, {"date": "3"}, {"date": "2"}, {"date": "3"}, id="old value"),
        pytest.param(
            {"bindings": bind(("A", "1"))},
            {"bindings": bind(("A", "2"))},
            {"bindings": bind(("B", "1"))},
            {"bindings": bind(("B", "2"))},
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
            {"bindings": [*bind(("A", "1")), *bind(("B", "1"))]},
            {"bindings": [*bind(("B", "1")), *bind(("A", "1"))]},
            {"bindings": [*bind(("A", "1")), *bind(("B", "1"))]},
            {"bindings": [*bind(("A", "1")), *bind(("B", "1"))]},
            id="order",
        ),
        pytest.param({}, {"key": SECRET}, {}, {"key": "plain"}, id="a secret or none"),
        pytest.param(
            {"key": SECRET}, {"key": SECRET}, {"key": SECRET},
            {"key": SECRET | {"ciphertext": "b"}}, id="rewritten or not",
        ),
    ],
)  # fmt: skip
def test_these_stacks_do_not(old: Any, new: Any, other_old: Any, other_new: Any) -> None:
    assert change(old, new).key != change(other_old, other_new).key


def test_adding_a_stack_differs_from_removing_it() -> None:
    recording = stack(date="1")
    added, removed = compare_recordings(None, recording), compare_recordings(recording, None)
    assert added.key != removed.key


def test_lines_next_to_a_change_are_reported() -> None:
    code = [f"line {number}" for number in range(9)]
    old, new = "\n".join(code), "\n".join([*code[:4], "new", *code[5:]])
    assert change({"content": old}, {"content": new}).context == tuple(code[2:4] + code[5:7])


def test_own_words_become_common_words_and_values_are_replaced_as_a_whole() -> None:
    raw = stack(name="ann-prod-db", env="prod", other="production")
    words = {"words": {"ann-prod": "<tenant>-<environment>", "=prod": "<environment>"}}
    (resource,) = restore_texts(raw | words, {})["resources"]
    assert resource["inputs"] == {
        "name": "<tenant>-<environment>-db",
        "env": "<environment>",
        "other": "production",
    }


def test_long_texts_are_restored() -> None:
    raw = stack(content={"$text": "digest"}) | {"words": {"ann": "<tenant>"}}
    (resource,) = restore_texts(raw, {"digest": "for ann"})["resources"]
    assert resource["inputs"] == {"content": "for <tenant>"}
