"""The components in programs: from configuration, and as a library."""

from pathlib import Path

import pulumi
import pytest

from flowflare.config.load import load_stack
from flowflare.errors import ConfigError
from flowflare.model.stack import StackSpec
from flowflare.render.cache import Bundle
from flowflare.render.worker import RenderedStack, render_service
from flowflare.resources import FlowflareStack
from flowflare.resources.project import find_project_root
from tests.unit.resources.recording_monitor import record

ACCOUNT = {"flowflare:accountId": "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"}
BUNDLE = Bundle(
    "var FlowflareService, WorkflowTracker, createWorkflowService;\n"
    "export {\n  FlowflareService,\n  WorkflowTracker,\n  createWorkflowService\n};\n",
    ("FlowflareService", "WorkflowTracker", "createWorkflowService"),
)


def service_alone(tenant: str, root: Path) -> tuple[StackSpec, RenderedStack]:
    values = ACCOUNT | {"flowflare:tenant": tenant}
    spec = load_stack(values, project="shop", stack="dev")
    return spec, RenderedStack(render_service(spec.service, BUNDLE, root=root), {})


def test_a_mistake_ends_the_program_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  flowflare:debug: maybe\n")
    (tmp_path / "infra").mkdir()
    monkeypatch.chdir(tmp_path / "infra")
    with pytest.raises(pulumi.RunError) as caught:
        record(FlowflareStack.from_config, config={"flowflare:debug": "maybe"})
    assert isinstance(caught.value.__cause__, ConfigError)
    assert str(caught.value) == str(caught.value.__cause__)
    assert "Pulumi.dev.yaml:2: `flowflare:debug`: is 'maybe'" in str(caught.value)


def test_a_mistake_is_shown_even_if_the_files_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pulumi.RunError, match="`flowflare:accountId`: is missing"):
        record(FlowflareStack.from_config, config={})


def test_the_project_is_found_above_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "infra").mkdir()
    monkeypatch.chdir(tmp_path / "infra")
    assert find_project_root() == tmp_path


def test_two_stacks_in_one_program(tmp_path: Path) -> None:
    def program() -> None:
        for tenant in ("acme", "umbrella"):
            spec, rendered = service_alone(tenant, tmp_path)
            stack = FlowflareStack(tenant, spec=spec, rendered=rendered)
            pulumi.export(tenant, stack.service.url)

    monitor = record(program, config={}, project="shop")
    assert monitor.outputs == {
        "acme": "https://acme-dev-flowflare-service.example.workers.dev",
        "umbrella": "https://umbrella-dev-flowflare-service.example.workers.dev",
    }
    assert len({resource.urn for resource in monitor.declared}) == len(monitor.declared)
    assert monitor.get_resource("acme-service-database").inputs["name"] == "acme-dev-flowflare-db"


def test_resources_with_data_are_protected_unless_the_loss_is_allowed(tmp_path: Path) -> None:
    spec, rendered = service_alone("acme", tmp_path)
    lifted = spec.model_copy(update={"allow_data_loss": {"a-service-script": "moved away"}})
    monitor = record(lambda: FlowflareStack("a", spec=lifted, rendered=rendered), config={})
    protected = [resource.name for resource in monitor.declared if resource.protect]
    assert sorted(protected) == ["a-service-class-migrations", "a-service-database"]
