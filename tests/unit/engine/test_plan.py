"""The choice of what to do, case by case; pure."""

from dataclasses import replace
from typing import Any

import pytest

from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.plan import (
    Decision,
    Diff,
    decide_by_diff,
    decide_forced,
    keep_ignored,
    path_parts,
    read_path,
)
from flowflare.state.checkpoint import Resource

URN = "urn:pulumi:dev::p::t:t:T::z"
GOAL = Goal(urn=URN, type="t:t:T", name="z", custom=True, inputs={"a": 1.0, "b": {"c": "x"}})
OLD = Resource(urn=URN, type="t:t:T", custom=True, id="i", inputs={"a": 1.0, "b": {"c": "x"}})


@pytest.mark.parametrize(
    ("goal", "old", "decision"),
    [
        (GOAL, None, Decision("create")),
        (GOAL, OLD, None),
        (
            GOAL,
            replace(OLD, external=True),
            Decision("replace", ("id",), note="was only read before, and is managed now"),
        ),
        (
            GOAL,
            replace(OLD, pending_replacement=True),
            Decision("replace", (), True, "was deleted by an earlier run"),
        ),
        (replace(GOAL, replacement_trigger="2"), OLD, Decision("replace", ("replacementTrigger",))),
        (replace(GOAL, replace_with=("u",)), OLD, Decision("replace", ("replaceWith",))),
        (
            replace(GOAL, replace_with=("u",), delete_before_replace=True),
            OLD,
            Decision("replace", ("replaceWith",), True),
        ),
        (replace(GOAL, custom=False), replace(OLD, custom=False), Decision("same")),
        (replace(GOAL, custom=False, inputs={}), replace(OLD, custom=False), Decision("update")),
    ],
)
def test_what_is_clear_without_a_provider(
    goal: Goal, old: Resource | None, decision: Decision | None
) -> None:
    assert decide_forced(goal, old, ["u"]) == decision


@pytest.mark.parametrize(
    ("goal", "inputs", "diff", "decision"),
    [
        (GOAL, OLD.inputs, Diff(False), Decision("same")),
        (GOAL, OLD.inputs, Diff(None), Decision("same")),
        (GOAL, {"a": 2.0}, Diff(None), Decision("update")),
        (GOAL, {"a": 2.0}, Diff(False), Decision("same")),
        (GOAL, OLD.inputs, Diff(True), Decision("update")),
        (GOAL, {"a": 2.0}, Diff(True, ("a",)), Decision("replace", ("a",))),
        (GOAL, {"a": 2.0}, Diff(False, ("a",)), Decision("replace", ("a",))),
        (GOAL, {"a": 2.0}, Diff(True, ("a",), True), Decision("replace", ("a",), True)),
        (
            replace(GOAL, delete_before_replace=False),
            {"a": 2.0},
            Diff(True, ("a",), True),
            Decision("replace", ("a",)),
        ),
        (
            replace(GOAL, replace_on_changes=("b.c", "a")),
            {"a": 1.0, "b": {"c": "y"}},
            Diff(True),
            Decision("replace", ("b.c",)),
        ),
        (
            replace(GOAL, replace_on_changes=("*",)),
            {"a": 2.0},
            Diff(True),
            Decision("replace", ("a", "b")),
        ),
        (
            replace(GOAL, replace_on_changes=("b.d",)),
            {"a": 1.0, "b": {"c": "y"}},
            Diff(True),
            Decision("update"),
        ),
    ],
)
def test_what_a_diff_means(
    goal: Goal, inputs: dict[str, Any], diff: Diff, decision: Decision
) -> None:
    assert decide_by_diff(goal, OLD, inputs, diff) == decision


def test_an_unfinished_resource_is_updated() -> None:
    old = replace(OLD, init_errors=("half made",))
    decision = decide_by_diff(GOAL, old, OLD.inputs, Diff(False))
    assert decision == Decision("update", note="was left unfinished: half made")


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a", ["a"]),
        ("a.b[0].c", ["a", "b", 0, "c"]),
        ('a["b.c"][*]', ["a", "b.c", "*"]),
        ("", []),
    ],
)
def test_property_paths(path: str, parts: list[object]) -> None:
    assert path_parts(path) == parts


def test_values_at_paths() -> None:
    value = {"a": [{"b": 1}], "c.d": 2}
    assert read_path(value, "a[0].b") == 1
    assert read_path(value, '["c.d"]') == 2
    assert read_path(value, "a[1]") is None
    assert read_path(value, "a.b") is None
    assert read_path(value, "a[*].b") == [{"b": 1}]


@pytest.mark.parametrize(
    ("paths", "old", "new", "kept"),
    [
        (("a",), {"a": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}),
        (("a",), {}, {"a": 2}, {}),
        (("a",), {"a": 1}, {}, {"a": 1}),
        (("a.b",), {"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, {"a": {"b": 1, "c": 3}}),
        (("a.b",), {}, {"a": {"b": 2, "c": 3}}, {"a": {"c": 3}}),
        (("l[1].x",), {"l": [0, {"x": 1}]}, {"l": [5, {"x": 2}]}, {"l": [5, {"x": 1}]}),
        (("l[3]",), {"l": [1]}, {"l": [2]}, {"l": [2]}),
        (("l[*].x",), {"l": [{"x": 1}]}, {"l": [{"x": 2}, {"x": 3}]}, {"l": [{"x": 1}, {"x": 3}]}),
        (("*",), {"a": 1}, {"b": 1}, {"a": 1}),
        (("missing.deep",), {"a": 1}, {"a": 2}, {"a": 2}),
    ],
)
def test_ignored_paths_keep_their_old_values(
    paths: tuple[str, ...], old: dict[str, Any], new: dict[str, Any], kept: dict[str, Any]
) -> None:
    goal = replace(GOAL, inputs=new, ignore_changes=paths)
    assert keep_ignored(goal, replace(OLD, inputs=old)).inputs == kept
