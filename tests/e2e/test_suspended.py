"""A suspended stack is unreachable, loses no data, and is the same again when it resumes."""

import httpx
import pytest

from tests.e2e.conftest import Project
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

CRONS = "/workers/scripts/local-flowflare-service/schedules"
DATABASE = "/d1/database?name=local-flowflare-db"


def test_a_suspended_stack_is_unreachable_and_resumes_with_its_data(project: Project) -> None:
    project.configure("flowflare:retentionDays: 30")
    first = project.open_stack().up().outputs
    project.account.settle()
    url = first["service_url"]
    assert httpx.get(url, timeout=PATIENCE).status_code < 500
    assert len(project.account.get(CRONS)["schedules"]) == 1
    before = (
        project.account.get(DATABASE),
        project.account.list_workflows(),
        project.account.list_scripts(),
    )

    project.configure("flowflare:suspended: true")
    suspended = project.open_stack().up()
    project.account.settle()
    assert {step.op for step in suspended.steps if "database" in step.name} == {"same"}
    assert suspended.outputs.get("service_url") is None
    assert suspended.outputs["client_urls"] == {}
    assert project.account.get(CRONS)["schedules"] == []
    with pytest.raises(httpx.HTTPError):
        httpx.get(url, timeout=PATIENCE).raise_for_status()
    assert project.open_stack().up().changed == 0

    project.edit("Pulumi.local.yaml", "  flowflare:suspended: true\n", "")
    resumed = project.open_stack().up().outputs
    project.account.settle()
    assert (resumed["service_url"], resumed["client_urls"]) == (url, first["client_urls"])
    assert httpx.get(url, timeout=PATIENCE).status_code < 500
    assert len(project.account.get(CRONS)["schedules"]) == 1
    after = (
        project.account.get(DATABASE),
        project.account.list_workflows(),
        project.account.list_scripts(),
    )
    assert after == before
