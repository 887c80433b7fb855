"""A preview of a stack of Cloudflare's plugin shows what `pulumi preview` showed, by binding.

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

# The tracking schema has gained a migration since the recording: it is pending in these states.
PENDING = "flowflare-service-migrations"
COMPUTED_BY_D1 = ("createdAt", "fileSize", "numTables", "version")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create the project of the first `up`, with today's code."""
    return make_project(tmp_path / "shop", "1-first-up", monkeypatch)


def make_project(root: Path, state: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    environ = make_recorded_project(root, read_recorded(state))
    environ.pop("PATH")  # Node must be found where this machine has it
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    fill_in_code(root, environ)
    return root


def configure(root: Path, old: str, new: str) -> None:
    file = root / "Pulumi.rec.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def plan_project(root: Path) -> Plan:
    return recorded_plan(read_project(root, "rec"), os.environ)


def find_updates(plan: Plan) -> dict[str, Step]:
    return {step.name: step for step in plan.steps if step.op != "same" and step.custom}


def read_pulumi_preview(name: str) -> dict[str, str]:
    """Return resource to operation, as `pulumi preview --diff` printed them."""
    text = (RECORDED / f"{name}.txt").read_text("utf-8")
    steps = re.findall(r"^    [~+-] \S+: \((\w+)\).*?\[urn=\S+::(\S+)\]", text, re.M | re.S)
    return {resource: operation for operation, resource in steps}


def find_entry(plan: Plan, name: str) -> Entry:
    [entry] = [entry for entry in review(plan).entries if entry.name == name]
    return entry


@pytest.mark.parametrize("name", ["3-change-preview", "6-preview-after-refresh"])
def test_the_same_resources_are_updated(name: str) -> None:
    operations = {step.name: step.op for step in find_updates(replay(name)).values()}
    assert operations == read_pulumi_preview(name)
    assert operations


def test_outputs_that_become_unknown_are_not_changes() -> None:
    """The engine lists 13 outputs beside the only input that differs."""
    step = find_updates(replay("3-change-preview"))["flowflare-orders-script"]
    assert [(change.path, change.old, change.new) for change in step.changes] == [
        ("bindings", "[secret]", "[secret]")
    ]
    assert step.note == ""
    entry = find_entry(replay("3-change-preview"), "flowflare-orders-script")
    assert (entry.bindings_added, entry.bindings_dropped) == ((), ())


def test_an_update_without_a_different_input_says_so() -> None:
    step = find_updates(replay("6-preview-after-refresh"))["flowflare-service-database"]
    assert step.changes == ()
    assert step.note == (
        f"no input differs: its provider updates it and computes {', '.join(COMPUTED_BY_D1)} anew"
    )


def test_a_changed_variable_is_the_only_change(project: Path) -> None:
    configure(project, '"MODE": "live"', '"MODE": "shadow"')
    plan = add_details(replay("3-change-preview"), plan_project(project))
    assert list(find_updates(plan)) == ["flowflare-orders-script"]
    entry = find_entry(plan, "flowflare-orders-script")
    assert [(change.path, change.old, change.new) for change in entry.changes] == [
        ('bindings["MODE"].text', "[secret]", "shadow")
    ]
    assert (entry.bindings_added, entry.bindings_dropped) == ((), ())


def test_a_preview_without_the_cli_shows_the_same(project: Path) -> None:
    assert list(find_updates(plan_project(project))) == [PENDING]
    configure(project, '"MODE": "live"', '"MODE": "shadow"')
    assert set(find_updates(plan_project(project))) == {PENDING, "flowflare-orders-script"}


def test_every_added_and_removed_binding_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, '"MODE": "live"', '"COLOUR": "red"')
    monkeypatch.setenv("SHOP_TOKEN", "another-token")
    plan = plan_project(project)
    entry = find_entry(plan, "flowflare-orders-script")
    assert [(added.name, added.type) for added in entry.bindings_added] == [
        ("COLOUR", "plain_text")
    ]
    assert [(dropped.name, dropped.type) for dropped in entry.bindings_dropped] == [
        ("MODE", "plain_text")
    ]
    assert {change.path for change in entry.changes} == {
        'bindings["COLOUR"]',
        'bindings["MODE"]',
        'bindings["SHOP_TOKEN"].text',
    }
    text = json.dumps([vars(step) for step in find_updates(plan).values()], default=str)
    assert "another-token" not in text
    assert "canary" not in text


def test_after_a_refresh_nothing_else_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path / "after", "5-refresh", monkeypatch)
    assert list(find_updates(plan_project(root))) == [PENDING]
    plan = add_details(replay("6-preview-after-refresh"), plan_project(root))
    assert list(find_updates(plan)) == ["flowflare-service-database"]
