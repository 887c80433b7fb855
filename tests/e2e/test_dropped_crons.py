"""Cron triggers that a program leaves out end in the account; others are left alone."""

from typing import Any

import pytest

from flowflare.engine.events import Plan, Step
from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
CRONS = "flowflare-service-crons"
SERVICE = "local-flowflare-service"
RETENTION = "\n  flowflare:retentionDays: 30"


def schedules(project: Project, script: str = SERVICE) -> list[str]:
    found: Any = project.account.get(f"/workers/scripts/{script}/schedules")
    return [str(one["cron"]) for one in found["schedules"]]


def step_of(plan: Plan, name: str = CRONS) -> Step:
    [found] = [one for one in plan.steps if one.name == name]
    return found


def test_the_preview_says_that_they_end_and_the_account_loses_them(project: Project) -> None:
    project.configure(RETENTION.strip())
    project.stack().up()
    assert schedules(project) == ["*/10 * * * *"]

    project.edit("Pulumi.local.yaml", RETENTION, "")
    step = step_of(project.stack().preview())
    assert (step.op, step.type) == ("update", "pulumi-python:dynamic/flowflare:NoCrons")
    assert [one.path for one in step.changes] == ["schedules[0]"]
    after = project.account.last_request()
    project.stack().up()
    assert schedules(project) == []
    cleared = [one for one in project.account.writes(after) if "schedules" in one]
    assert len(cleared) == 1
    assert project.stack().up().changed == 0

    project.configure(RETENTION.strip())
    project.stack().up()
    assert schedules(project) == ["*/10 * * * *"]
    assert project.stack().up().changed == 0


def test_triggers_that_no_program_declared_stay(project: Project) -> None:
    project.stack().up()
    path = f"/accounts/{project.account.identity}/workers/scripts/{SERVICE}/schedules"
    project.account._api.put(path, json=[{"cron": "5 4 * * *"}]).raise_for_status()
    assert project.stack().up().changed == 0
    assert schedules(project) == ["5 4 * * *"]
    project.stack().destroy()
    assert project.account.holds_nothing()


def test_a_client_loses_those_that_it_drops(project: Project) -> None:
    with_crons = (
        "flowflare:clients: {orders: {source: worker_src/orders/src/index.js, crons: [5 4 * * *]}}"
    )
    project.configure(with_crons)
    project.stack().up()
    script = "local-flowflare-orders"
    assert schedules(project, script) == ["5 4 * * *"]
    project.edit("Pulumi.local.yaml", ", crons: [5 4 * * *]", "")
    assert step_of(project.stack().preview(), "flowflare-orders-cron-cleanup").op == "delete"
    project.stack().up()
    assert schedules(project, script) == []
    assert project.stack().up().changed == 0
