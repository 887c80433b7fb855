"""A stack from its first `up` over edits to its end, on the embedded Cloudflare."""

import httpx
import pytest

from flowflare.cli.order import Tracking, follow
from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

SERVICE = "local-flowflare-service"
ORDERS = "local-flowflare-orders"


def tracking(project: Project) -> Tracking:
    outputs = project.stack().outputs(show_secrets=True)
    return Tracking(outputs["service_url"], outputs["client_urls"]["orders"], outputs["api_key"])


def order(project: Project) -> dict:
    project.account.settle()
    return follow(tracking(project), 60, lambda _: None)


def changed(project: Project) -> list[str]:
    return sorted(step.name for step in project.stack().up().steps if step.op != "same")


def run(project: Project, run_id: str) -> dict:
    to = tracking(project)
    answer = httpx.post(
        f"{to.service_url}/service/get-workflow",
        json={"workflowId": run_id},
        headers={"X-API-Key": to.api_key},
    )
    return answer.raise_for_status().json()["workflow"]


def test_an_order_runs_to_its_end_and_the_service_tells_its_steps(project: Project) -> None:
    assert project.stack().up().changed == 11
    told = order(project)
    steps = [(step["step_name"], step["status"], len(step["retries"])) for step in told["steps"]]
    assert told["status"] == "Completed"
    assert steps == [
        ("reserve-stock", "Completed", 0),
        ("charge-payment", "Completed", 1),
        ("ship-order", "Completed", 0),
    ]


def test_a_second_up_changes_nothing_and_asks_nothing_of_the_api(project: Project) -> None:
    project.stack().up()
    last = project.account.last_request()
    update = project.stack().up()
    assert update.changed == 0
    assert project.account.requests(since=last) == []


def test_an_edit_changes_what_it_concerns_and_data_stays(project: Project) -> None:
    project.stack().up()
    before = order(project)

    project.edit("worker_src/orders/src/index.js", "price: 450", "price: 500")
    assert changed(project) == ["flowflare-orders-script"]
    assert project.stack().up().changed == 0

    project.configure("flowflare:debug: true")
    assert changed(project) == ["flowflare-service-script"]

    assert run(project, before["id"])["status"] == "Completed"
    assert order(project)["status"] == "Completed"


def test_destroy_leaves_nothing_and_up_works_again(project: Project) -> None:
    project.stack().up()
    destroyed = project.stack().destroy()
    assert destroyed.changed == 11
    assert project.account.holds_nothing()

    project.stack().up()
    assert order(project)["status"] == "Completed"


def test_a_secret_is_neither_in_state_nor_in_any_answer(project: Project) -> None:
    project.stack().up()
    key = tracking(project).api_key
    ours = [project.root / ".flowflare/state", project.root / ".flowflare/cache"]
    files = [path for folder in ours for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if key in path.read_text(errors="replace")]
    settings = project.account.get(f"/workers/scripts/{SERVICE}/settings")
    assert key not in str(settings)
    assert key not in str(project.account.requests())
