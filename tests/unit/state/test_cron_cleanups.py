"""States of earlier versions are read with what clears their cron triggers."""

import copy
from typing import Any

import pytest

from flowflare.kinds.cron_cleanup.upgrade import add_cron_cleanups, list_missing_cleanups
from tests.engine.recorded import find_record, read_recorded

SCRIPT = "rec-flowflare-service"
NAME = "flowflare-service-crons"


def deployment() -> dict[str, Any]:
    """The state that the real CLI wrote before there were cleanups."""
    return copy.deepcopy(dict(read_recorded("1-first-up")["deployment"]))


def trigger(state: dict[str, Any]) -> dict[str, Any]:
    [found] = [record for record in state["resources"] if record["urn"].endswith(f"::{NAME}")]
    assert isinstance(found, dict)
    return found


def test_the_missing_record_is_added_after_all_that_it_needs() -> None:
    state = deployment()
    added = add_cron_cleanups(state)["resources"][-1]
    parent = find_record(read_recorded("1-first-up"), "flowflare-service")["urn"]
    url = find_record(read_recorded("1-first-up"), "flowflare-service-url")
    assert added["urn"].endswith("CronCleanup::flowflare-service-cron-cleanup")
    assert (added["parent"], added["provider"]) == (parent, url["provider"])
    assert added["id"].endswith(f"/{SCRIPT}")
    assert added["inputs"] == added["outputs"]
    assert added["inputs"]["script_name"] == SCRIPT
    assert added["dependencies"] == trigger(state)["dependencies"]
    assert state == deployment()


def test_a_state_that_has_it_stays_as_it_is() -> None:
    once = add_cron_cleanups(deployment())
    assert add_cron_cleanups(once) == once


@pytest.mark.parametrize(
    "change",
    [
        {"parent": "urn:pulumi:rec::flowflare::pulumi:pulumi:Stack::flowflare-rec"},
        {"parent": "urn:pulumi:rec::flowflare::shop:index:Service::shop"},
        {"urn": "urn:pulumi:rec::flowflare::flowflare:index:Service$x:y:Z::night"},
        {"inputs": {"accountId": "a", "scriptName": "b", "schedules": []}},
        {"delete": True},
    ],
    ids=["of the stack", "of another component", "another name", "no schedules", "replaced"],
)
def test_triggers_that_flowflare_does_not_declare_or_that_are_empty_get_none(
    change: dict[str, Any],
) -> None:
    state = deployment()
    trigger(state).update(change)
    assert list_missing_cleanups(state) == []


def test_there_is_none_where_nothing_names_the_provider() -> None:
    state = deployment()
    state["resources"] = [trigger(state)]
    assert list_missing_cleanups(state) == []
