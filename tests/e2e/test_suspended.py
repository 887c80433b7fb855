"""A stack that is suspended: reached nowhere, nothing lost, and back where it was."""

import httpx
import pytest

from tests.e2e.conftest import Project
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

CRONS = "/workers/scripts/local-flowflare-service/schedules"
DATABASE = "/d1/database?name=local-flowflare-db"


def test_suspended_and_back(project: Project) -> None:
    project.configure("flowflare:retentionDays: 30")
    up = project.stack().up().outputs
    project.account.settle()
    url = up["service_url"]
    assert httpx.get(url, timeout=PATIENCE).status_code < 500
    assert len(project.account.get(CRONS)["schedules"]) == 1
    kept = project.account.get(DATABASE), project.account.workflows(), project.account.scripts()

    project.configure("flowflare:suspended: true")
    off = project.stack().up()
    project.account.settle()
    assert {step.op for step in off.steps if "database" in step.name} == {"same"}
    assert (off.outputs.get("service_url"), off.outputs["client_urls"]) == (None, {})
    assert project.account.get(CRONS)["schedules"] == []
    with pytest.raises(httpx.HTTPError):
        httpx.get(url, timeout=PATIENCE).raise_for_status()
    assert project.stack().up().changed == 0

    project.edit("Pulumi.local.yaml", "  flowflare:suspended: true\n", "")
    back = project.stack().up().outputs
    project.account.settle()
    assert (back["service_url"], back["client_urls"]) == (url, up["client_urls"])
    assert httpx.get(url, timeout=PATIENCE).status_code < 500
    assert len(project.account.get(CRONS)["schedules"]) == 1
    now = project.account.get(DATABASE), project.account.workflows(), project.account.scripts()
    assert now == kept
