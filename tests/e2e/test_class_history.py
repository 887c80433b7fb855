"""A new step in the service's Durable Object migrations is deployed without losing bindings."""

from typing import Any

import pytest

from flowflare.errors import UpdateFailed
from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

SERVICE = "local-flowflare-service"
UPLOAD = f"PUT /workers/scripts/{SERVICE}"
# The code exports the class from the beginning; the step that creates it is appended later.
TEMPLATE = """\
// class migrations up to {{ class_migration_tag | js }}
{{ bundle }}
export class Extra extends {{ exports.WorkflowTracker }} {}
export default {{ exports.createWorkflowService }}({{ options | js }});
export { {{ exports.WorkflowTracker }} as WorkflowTracker };
"""
PROGRAM = """\
from flowflare.model.class_migrations import SERVICE_HISTORY, ClassMigration
from flowflare.render.worker import render_stack
from flowflare.resources import FlowflareStack
from flowflare.resources.project import find_project_root, read_spec

root = find_project_root()
spec = read_spec(root)
history = SERVICE_HISTORY + APPENDED
service = spec.service.model_copy(update={"class_migrations": history})
spec = spec.model_copy(update={"service": service})
FlowflareStack("flowflare", spec=spec, rendered=render_stack(spec, root=root))
"""
APPENDED = '(ClassMigration(tag="extra-v1", new_sqlite_classes=("Extra",)),)'


@pytest.fixture
def shop(project: Project) -> Project:
    (project.root / "templates").mkdir()
    (project.root / "templates" / "service.js.j2").write_text(TEMPLATE)
    (project.root / "infra" / "__main__.py").write_text(PROGRAM.replace("APPENDED", "()"))
    project.open_stack().up()
    return project


def append_step(project: Project) -> None:
    program = project.root / "infra" / "__main__.py"
    program.write_text(PROGRAM.replace("APPENDED", APPENDED))


def list_bindings(project: Project) -> list[dict[str, Any]]:
    settings = project.account.get(f"/workers/scripts/{SERVICE}/settings")
    return sorted(settings["bindings"], key=lambda binding: binding["name"])


def read_live_tag(project: Project) -> str:
    service = project.account.get(f"/workers/services/{SERVICE}")
    return str(service["default_environment"]["script"]["migration_tag"])


def test_an_appended_step_is_applied_alone_and_every_binding_stays(shop: Project) -> None:
    before, last = list_bindings(shop), shop.account.find_last_request()
    append_step(shop)
    update = shop.open_stack().up()
    assert [step.name for step in update.steps if step.op != "same"] == [
        "flowflare-service-class-migrations",
        "flowflare-service-script",
    ]
    assert shop.account.list_writes(since=last) == [UPLOAD, UPLOAD]
    assert read_live_tag(shop) == "extra-v1"
    assert list_bindings(shop) == before
    assert shop.open_stack().up().changed == 0


def test_a_run_killed_between_the_two_uploads_keeps_every_binding(shop: Project) -> None:
    before = list_bindings(shop)
    append_step(shop)
    refused = {"kind": "answer", "status": 400, "code": 10021, "message": "refused by a test"}
    with (
        shop.account.inject_fault(refused, method="PUT", path=f"*/scripts/{SERVICE}", nth=2),
        pytest.raises(UpdateFailed),
    ):
        shop.open_stack().up()
    assert read_live_tag(shop) == "extra-v1"
    assert list_bindings(shop) == before
    last = shop.account.find_last_request()
    shop.open_stack().up()
    assert shop.account.list_writes(since=last) == [UPLOAD]
    assert list_bindings(shop) == before
