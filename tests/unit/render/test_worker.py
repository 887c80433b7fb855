"""The Workers of a stack: the service is rendered around its bundle, clients are unchanged."""

import hashlib
from pathlib import Path

import pytest

from flowflare.config.load import load_stack
from flowflare.errors import RenderError
from flowflare.model.stack import ServiceSpec, StackSpec
from flowflare.render.cache import Bundle
from flowflare.render.service_bundle import write_service_bundle
from flowflare.render.worker import read_bundle, render_service, render_stack

ROOT = Path(__file__).parent.parent.parent.parent
BUNDLE = Bundle(
    content="""\
var FlowflareService = class {};
var WorkflowTracker = class {};
var createWorkflowService2 = (options) => options;
export {
  FlowflareService,
  WorkflowTracker,
  createWorkflowService2 as createWorkflowService
};
""",
    exports=("FlowflareService", "WorkflowTracker", "createWorkflowService"),
)


def stack(**values: str) -> StackSpec:
    account = {"flowflare:accountId": "f" * 32}
    own = {f"flowflare:{key}": value for key, value in values.items()}
    return load_stack(account | own, project="shop", stack="dev")


def service(**values: str) -> ServiceSpec:
    return stack(**values).service


def test_the_stacks_part_is_rendered_around_the_bundle(tmp_path: Path) -> None:
    spec = service(allowedOrigins='["https://a.example"]', debug="true")
    rendered = render_service(spec, BUNDLE, root=tmp_path)
    assert (
        rendered.content
        == """\
// Flowflare; class migrations up to "workflow-tracker-v1"
var FlowflareService = class {};
var WorkflowTracker = class {};
var createWorkflowService2 = (options) => options;
export default createWorkflowService2({
  "allowedOrigins": ["https://a.example"],
  "debug": true,
});
export { WorkflowTracker as WorkflowTracker };
export { FlowflareService as FlowflareService };
"""
    )
    assert rendered.content_sha256 == hashlib.sha256(rendered.content.encode()).hexdigest()
    assert rendered.exports == ("default", "FlowflareService", "WorkflowTracker")
    assert rendered.main_module == "worker.js"


def test_retention_and_stuck_runs_reach_the_service(tmp_path: Path) -> None:
    spec = service(retentionDays="30", stuckAfterMinutes="0")
    options = '  "retention": {"days": 30},\n  "stuckAfterMinutes": 0,\n});\n'
    rendered = render_service(spec, BUNDLE, root=tmp_path)
    assert f'  "debug": false,\n{options}' in rendered.content


def test_a_template_of_the_project_is_used_instead(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "service.js.j2").write_text("{{ bundle }}// own\n")
    assert render_service(service(), BUNDLE, root=tmp_path).content.endswith("// own\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("var a;\n", "does not end with an export clause"),
        (
            "var a;\nexport {\n  a\n};\n",
            "does not export FlowflareService, WorkflowTracker, createWorkflowService",
        ),
    ],
)
def test_a_bundle_that_is_not_a_service_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(RenderError, match=message):
        render_service(service(), Bundle(content, ("a",)), root=tmp_path)


def test_the_bundle_in_the_wheel_is_what_a_checkout_builds(tmp_path: Path) -> None:
    write_service_bundle(tmp_path / "build" / "service.js", root=tmp_path)
    finished = read_bundle(tmp_path / "build" / "service.js")
    assert finished.exports == ("FlowflareService", "WorkflowTracker", "createWorkflowService")
    spec = stack()
    built = render_stack(spec, root=tmp_path).service
    assert render_service(spec.service, finished, root=tmp_path) == built
    assert str(ROOT) not in built.content


def test_a_stack_renders_to_the_same_code_in_two_folders(tmp_path: Path) -> None:
    source = (ROOT / "worker_src/orders/src/index.js").read_text()
    spec = stack(
        clients='{"orders": {"source": "src/index.js",'
        ' "workflows": {"order-processing": {"className": "OrderWorkflow"}}}}'
    )
    stacks = []
    for name in ("one", "two/deeper"):
        folder = tmp_path / name / "src"
        folder.mkdir(parents=True)
        (folder / "index.js").write_text(source)
        (folder / "order-workflow.js").write_text("export class OrderWorkflow {}\n")
        stacks.append(render_stack(spec, root=folder.parent))
    assert stacks[0] == stacks[1]
    assert [worker.script_name for worker in stacks[0].workers()] == [
        "dev-flowflare-service",
        "dev-flowflare-orders",
    ]


def test_a_bound_class_must_be_exported(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("export default {};\nexport class Other {}\n")
    spec = stack(clients='{"a": {"source": "a.js", "workflows": {"w": {"className": "Missing"}}}}')
    with pytest.raises(RenderError) as caught:
        render_stack(spec, root=tmp_path)
    assert caught.value.message == (
        "a.js: client `a` does not export the class `Missing` of its Workflow `w`; "
        "it exports Other, default"
    )
