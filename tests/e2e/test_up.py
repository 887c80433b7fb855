"""A stack is deployed, edited and destroyed on the embedded Cloudflare."""

import httpx
import pytest

from flowflare.cli.order import Tracking, follow
from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

SERVICE = "local-flowflare-service"
ORDERS = "local-flowflare-orders"


def read_tracking(project: Project) -> Tracking:
    outputs = project.open_stack().outputs(show_secrets=True)
    return Tracking(outputs["service_url"], outputs["client_urls"]["orders"], outputs["api_key"])


def place_order(project: Project) -> dict:
    project.account.settle()
    return follow(read_tracking(project), 60, lambda _: None)


def list_changed(project: Project) -> list[str]:
    return sorted(step.name for step in project.open_stack().up().steps if step.op != "same")


def read_run(project: Project, run_id: str) -> dict:
    tracking = read_tracking(project)
    answer = httpx.post(
        f"{tracking.service_url}/service/get-workflow",
        json={"workflowId": run_id},
        headers={"X-API-Key": tracking.api_key},
    )
    return answer.raise_for_status().json()["workflow"]


def test_an_order_runs_to_its_end_and_the_service_reports_its_steps(project: Project) -> None:
    assert project.open_stack().up().changed == 11
    run = place_order(project)
    steps = [(step["step_name"], step["status"], len(step["retries"])) for step in run["steps"]]
    assert run["status"] == "Completed"
    assert steps == [
        ("reserve-stock", "Completed", 0),
        ("charge-payment", "Completed", 1),
        ("ship-order", "Completed", 0),
    ]


def test_a_second_up_changes_nothing_and_makes_no_api_call(project: Project) -> None:
    project.open_stack().up()
    last = project.account.find_last_request()
    update = project.open_stack().up()
    assert update.changed == 0
    assert project.account.list_requests(since=last) == []


def test_an_edit_updates_only_its_script_and_data_stays(project: Project) -> None:
    project.open_stack().up()
    before = place_order(project)

    project.edit("worker_src/orders/src/index.js", "price: 450", "price: 500")
    assert list_changed(project) == ["flowflare-orders-script"]
    assert project.open_stack().up().changed == 0

    project.configure("flowflare:debug: true")
    assert list_changed(project) == ["flowflare-service-script"]

    assert read_run(project, before["id"])["status"] == "Completed"
    assert place_order(project)["status"] == "Completed"


def test_destroy_leaves_nothing_and_up_works_again(project: Project) -> None:
    project.open_stack().up()
    destroyed = project.open_stack().destroy()
    assert destroyed.changed == 11
    assert project.account.is_empty()

    project.open_stack().up()
    assert place_order(project)["status"] == "Completed"


def test_a_secret_is_not_in_state_nor_in_any_answer(project: Project) -> None:
    project.open_stack().up()
    key = read_tracking(project).api_key
    folders = [project.root / ".flowflare/state", project.root / ".flowflare/cache"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if key in path.read_text(errors="replace")]
    settings = project.account.get(f"/workers/scripts/{SERVICE}/settings")
    assert key not in str(settings)
    assert key not in str(project.account.list_requests())
