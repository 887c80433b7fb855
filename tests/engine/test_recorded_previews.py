"""A preview of a stack of Cloudflare's plugin says what `pulumi preview` said, by binding.

The event logs and states are recorded; the Pulumi CLI is not needed.
"""

import json
import os
import re
from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.engine.pulumi_cli.recorded import add_details, recorded_plan
from flowflare.review.changes import review
from flowflare.review.entries import Entry
from flowflare.values.events import Plan, Step
from tests.engine.recorded import (
    RECORDED,
    fill_in_code,
    make_recorded_project,
    read_recorded,
    replay,
)

# The tracking schema has gained a migration since the recording, so these states have it pending.
PENDING = "flowflare-service-migrations"
COMPUTED_BY_D1 = ("createdAt", "fileSize", "numTables", "version")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project of the first `up`, with today's code."""
    return make(tmp_path / "shop", "1-first-up", monkeypatch)


def make(root: Path, state: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    environ = make_recorded_project(root, read_recorded(state))
    environ.pop("PATH")  # Node is where this machine has it
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    fill_in_code(root, environ)
    return root


def configure(root: Path, old: str, new: str) -> None:
    file = root / "Pulumi.rec.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def plan_of(root: Path) -> Plan:
    return recorded_plan(read_project(root, "rec"), os.environ)


def updated(plan: Plan) -> dict[str, Step]:
    return {one.name: one for one in plan.steps if one.op != "same" and one.custom}


def as_pulumi_says(name: str) -> dict[str, str]:
    """Resource to operation, of what `pulumi preview --diff` printed."""
    text = (RECORDED / f"{name}.txt").read_text("utf-8")
    steps = re.findall(r"^    [~+-] \S+: \((\w+)\).*?\[urn=\S+::(\S+)\]", text, re.M | re.S)
    return {resource: operation for operation, resource in steps}


def entry_of(plan: Plan, name: str) -> Entry:
    [found] = [one for one in review(plan).entries if one.name == name]
    return found


@pytest.mark.parametrize("name", ["3-change-preview", "6-preview-after-refresh"])
def test_the_same_resources_are_updated(name: str) -> None:
    said = {step.name: step.op for step in updated(replay(name)).values()}
    assert said == as_pulumi_says(name)
    assert said


def test_outputs_that_become_unknown_are_no_changes() -> None:
    """The engine lists 13 of them beside the one input that differs."""
    step = updated(replay("3-change-preview"))["flowflare-orders-script"]
    assert [(one.path, one.old, one.new) for one in step.changes] == [
        ("bindings", "[secret]", "[secret]")
    ]
    assert step.note == ""
    entry = entry_of(replay("3-change-preview"), "flowflare-orders-script")
    assert (entry.bindings_added, entry.bindings_dropped) == ((), ())


def test_an_update_without_a_different_input_says_so() -> None:
    step = updated(replay("6-preview-after-refresh"))["flowflare-service-database"]
    assert step.changes == ()
    assert step.note == (
        f"no input differs: its provider updates it and computes {', '.join(COMPUTED_BY_D1)} anew"
    )


def test_a_changed_variable_is_the_only_change(project: Path) -> None:
    configure(project, '"MODE": "live"', '"MODE": "shadow"')
    plan = add_details(replay("3-change-preview"), plan_of(project))
    assert list(updated(plan)) == ["flowflare-orders-script"]
    entry = entry_of(plan, "flowflare-orders-script")
    assert [(one.path, one.old, one.new) for one in entry.changes] == [
        ('bindings["MODE"].text', "[secret]", "shadow")
    ]
    assert (entry.bindings_added, entry.bindings_dropped) == ((), ())


def test_without_the_cli_a_preview_says_the_same(project: Path) -> None:
    assert list(updated(plan_of(project))) == [PENDING]
    configure(project, '"MODE": "live"', '"MODE": "shadow"')
    assert set(updated(plan_of(project))) == {PENDING, "flowflare-orders-script"}


def test_each_binding_that_comes_and_goes_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, '"MODE": "live"', '"COLOUR": "red"')
    monkeypatch.setenv("SHOP_TOKEN", "another-token")
    plan = plan_of(project)
    entry = entry_of(plan, "flowflare-orders-script")
    assert [(one.name, one.type) for one in entry.bindings_added] == [("COLOUR", "plain_text")]
    assert [(one.name, one.type) for one in entry.bindings_dropped] == [("MODE", "plain_text")]
    assert {one.path for one in entry.changes} == {
        'bindings["COLOUR"]',
        'bindings["MODE"]',
        'bindings["SHOP_TOKEN"].text',
    }
    told = json.dumps([vars(one) for one in updated(plan).values()], default=str)
    assert "another-token" not in told
    assert "canary" not in told


def test_after_a_refresh_nothing_else_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path / "after", "5-refresh", monkeypatch)
    assert list(updated(plan_of(root))) == [PENDING]
    plan = add_details(replay("6-preview-after-refresh"), plan_of(root))
    assert list(updated(plan)) == ["flowflare-service-database"]
