"""The embedded engine sends the requests of the real provider for Cloudflare resources."""

import json
from pathlib import Path
from typing import Any

import pytest

from flowflare.errors import EngineError, UpdateFailed
from tests.engine.fake_cloudflare import ACCOUNT, TOKEN, FakeCloudflare, Request
from tests.engine.projects import Sample, list_changes, make_sample

GRAPH = """
    import pulumi
    from cloud import *
    A = "{account}"
    after = lambda *them: pulumi.ResourceOptions(depends_on=them)
    db = D1Database("db", pulumi.ResourceOptions(version={version!r}), accountId=A, name="flow")
    service = WorkersScript("service", accountId=A, scriptName="flowflare-service",
        mainModule="worker.js", compatibilityDate="2026-11-01", force={force},
        content="export class WorkflowTracker{{}}; export default {{fetch(){{return new Response('{code}')}}}}",
        bindings=[
            {{"name": "DB", "type": "d1", "id": db.uuid}},
            {{"name": "SERVICE_API_KEY", "type": "secret_text", "text": pulumi.Output.secret("s3cret-canary")}},
            {{"name": "WORKFLOW_TRACKER", "type": "durable_object_namespace", "className": "WorkflowTracker"}},
        ])
    cron = Cron("cron", after(service), accountId=A, scriptName="flowflare-service", schedules=[{{"cron": "*/5 * * * *"}}])
    orders = WorkersScript("orders", after(cron), accountId=A, scriptName="orders",
        mainModule="worker.js", compatibilityDate="2026-11-01", usageModel=None,
        content="export class Order{{}}; export default {{}}",
        bindings=[
            {{"name": "ORDER", "type": "workflow", "className": "Order", "workflowName": "order"}},
            {{"name": "WORKFLOW_SERVICE", "type": "service", "service": "flowflare-service", "environment": None}},
            {{"name": "WORKFLOW_TRACKER", "type": "durable_object_namespace", "className": "WorkflowTracker",
              "scriptName": "flowflare-service"}},
        ])
    sub = Subdomain("sub", after(orders), accountId=A, scriptName="orders", enabled=True, previewsEnabled=False)
    flow = Workflow("flow", after(sub), accountId=A, workflowName="order", scriptName="orders", className="Order")
    pulumi.export("database", db.uuid)
"""  # noqa: E501 -- programs read best in whole lines


def make_graph(code: str = "1", *, force: bool | None = None, version: str = "") -> str:
    return GRAPH.format(account=ACCOUNT, code=code, force=force, version=version)


RECORDINGS = Path(__file__).parent / "recordings"


def read_recording(name: str) -> list[dict[str, Any]]:
    lines = (RECORDINGS / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def to_recorded_form(request: Request, uuid: str) -> dict[str, Any]:
    parts = json.loads(json.dumps(request.parts).replace(uuid, "<uuid>"))
    path = request.path.replace(uuid, "<uuid>")
    return {"method": request.method, "path": path, "json": request.body, "parts": parts}


def test_requests_are_those_of_the_real_provider(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_graph()).up()
    uuid = next(iter(cloudflare.world.databases))

    def list_requests() -> list[dict[str, Any]]:
        return [to_recorded_form(request, uuid) for request in cloudflare.requests]

    assert list_requests() == read_recording("first-up")
    cloudflare.requests.clear()

    assert cloud_sample.up().changed == 0
    assert cloud_sample.preview().changed == 0
    assert cloudflare.requests == []

    plan = cloud_sample.write_program(make_graph("2")).preview()
    assert list_changes(plan) == {"service": "update"}
    assert cloudflare.requests == []
    cloud_sample.up()
    assert list_requests() == read_recording("code-change")
    cloudflare.requests.clear()

    cloud_sample.destroy()
    assert list_requests() == read_recording("destroy")
    assert not any(cloudflare.world.names().values())


def test_state_has_every_computed_attribute_and_no_plain_secret(cloud_sample: Sample) -> None:
    cloud_sample.write_program(make_graph()).up()
    db, service = cloud_sample.find_record("db"), cloud_sample.find_record("service")
    assert db["id"] == db["outputs"]["uuid"]
    assert {"createdAt", "fileSize", "numTables", "version", "name"} <= db["outputs"].keys()
    assert service["id"] == "flowflare-service"
    assert {"etag", "handlers", "createdOn", "usageModel", "startupTimeMs"} <= service[
        "outputs"
    ].keys()
    for part in ("inputs", "outputs"):
        assert "ciphertext" in service[part]["bindings"][1]["text"]
    assert "s3cret-canary" not in cloud_sample.state_file.read_text()
    provider = cloud_sample.find_record("default")
    assert provider["urn"] == "urn:pulumi:dev::p::pulumi:providers:cloudflare::default"
    assert provider["inputs"]["__internal"] == {}
    assert "ciphertext" in provider["inputs"]["apiToken"]
    assert "__internal" not in provider["outputs"]
    assert TOKEN not in cloud_sample.state_file.read_text()


def test_a_change_of_only_a_secret_binding_is_shown(cloud_sample: Sample) -> None:
    cloud_sample.write_program(make_graph()).up()
    plan = cloud_sample.write_program(make_graph().replace("s3cret-canary", "other")).preview()
    (step,) = [step for step in plan.steps if step.op != "same"]
    (change,) = step.changes
    path = 'bindings["SERVICE_API_KEY"].text'
    assert (change.path, change.old, change.new) == (path, "[secret]", "[secret]")


def test_the_default_provider_is_named_after_the_package_version(cloud_sample: Sample) -> None:
    cloud_sample.write_program(
        f"""
        import pulumi
        from cloud import *
        newest = pulumi.ResourceOptions(version="6.23.1")
        D1Database("db", newest, accountId="{ACCOUNT}", name="flow")
        """
    ).up()
    provider = cloud_sample.find_record("default_6_23_1")
    assert provider["inputs"]["version"] == "6.23.1"
    assert cloud_sample.find_record("db")["provider"] == f"{provider['urn']}::{provider['id']}"


def test_another_provider_version_moves_resources_without_replacing_them(
    cloud_sample: Sample,
) -> None:
    cloud_sample.write_program(make_graph()).up()
    assert cloud_sample.write_program(make_graph(version="7.0.0")).up().changed == 0
    assert cloud_sample.find_record("db")["provider"].startswith(
        "urn:pulumi:dev::p::pulumi:providers:cloudflare::default_7_0_0::"
    )


def test_an_explicit_provider_is_used(
    sample: Sample, cloudflare: FakeCloudflare, tmp_path: Path
) -> None:
    sample.write_program(
        f"""
        import pulumi
        from cloud import *
        class Provider(pulumi.ProviderResource):
            def __init__(self, name, **props):
                super().__init__("cloudflare", name, props)
        token = pulumi.Output.secret("{TOKEN}")
        mine = Provider("mine", baseUrl="{cloudflare.base_url}", apiToken=token)
        D1Database("db", pulumi.ResourceOptions(provider=mine), accountId="{ACCOUNT}", name="flow")
        """
    )
    assert list_changes(sample.preview()) == {"mine": "create", "db": "create"}
    assert list_changes(sample.up()) == {"mine": "create", "db": "create"}
    assert sample.find_record("mine")["parent"].endswith("::p-dev")
    assert cloudflare.world.names()["databases"] == ["flow"]
    assert sample.up().changed == 0
    sample.destroy()
    assert cloudflare.world.names()["databases"] == []


def test_a_database_rename_creates_the_new_database_first(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_graph()).up()
    old = cloud_sample.find_record("db")["id"]
    cloudflare.requests.clear()
    cloud_sample.write_program(make_graph().replace('name="flow"', 'name="flow2"'))
    plan = cloud_sample.preview()
    assert list_changes(plan) == {"db": "replace", "service": "update"}
    step = next(step for step in plan.steps if step.name == "db")
    assert step.replaces == ("name",)
    assert not step.delete_before_replace
    assert next(s for s in plan.steps if s.name == "service").changes[0].waits_for == ("db",)
    assert list_changes(cloud_sample.up()) == {"db": "replace", "service": "update"}
    assert cloudflare.list_writes() == [
        "POST /d1/database",
        "PUT /workers/scripts/flowflare-service",
        f"DELETE /d1/database/{old}",
    ]
    assert cloudflare.world.names()["databases"] == ["flow2"]


def test_a_replacement_under_the_same_name_deletes_the_old_database_first(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_graph()).up()
    cloudflare.requests.clear()
    cloud_sample.write_program(
        make_graph().replace('name="flow"', 'name="flow", jurisdiction="eu"')
    )
    step = next(step for step in cloud_sample.preview().steps if step.name == "db")
    assert (step.op, step.delete_before_replace) == ("replace", True)
    cloud_sample.up()
    assert [write.split()[0] for write in cloudflare.list_writes()] == ["DELETE", "POST", "PUT"]


def test_force_is_sent_when_the_script_is_deleted(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_graph(force=True)).up()
    cloud_sample.destroy()
    queries = {each.short: each.query for each in cloudflare.requests if each.method == "DELETE"}
    assert queries["DELETE /workers/scripts/flowflare-service"] == {"force": ["true"]}
    assert queries["DELETE /workers/scripts/orders"] == {}


def test_deleting_resources_that_are_already_gone_succeeds(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_graph()).up()
    cloudflare.world.__init__()  # type: ignore[misc]
    cloud_sample.destroy()
    assert "resources" not in cloud_sample.read_latest()


def test_read_replication_is_set_after_the_database_is_created(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    program = f"""
        from cloud import *
        D1Database("db", accountId="{ACCOUNT}", name="flow", readReplication={{"mode": "auto"}})
    """
    cloud_sample.write_program(program).up()
    assert [request.body for request in cloudflare.requests] == [
        {"name": "flow"},
        {"read_replication": {"mode": "auto"}},
    ]
    assert cloud_sample.preview().changed == 0


def test_a_database_that_this_stack_did_not_create_is_refused(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloudflare.world.databases["x"] = {"uuid": "x", "name": "flow", "num_tables": 0}
    with pytest.raises(UpdateFailed, match="'flow' already exists, and this stack did not"):
        cloud_sample.write_program(make_graph()).up()
    assert cloudflare.world.names()["databases"] == ["flow"]
    assert cloudflare.world.names()["scripts"] == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fault", ["cut", "502"])
def test_a_lost_answer_never_creates_a_second_database(
    cloud_sample: Sample, cloudflare: FakeCloudflare, moment: str, fault: str
) -> None:
    faults = [fault]

    def lose(request: Request, when: str) -> str | None:
        is_creation = request.method == "POST" and request.path.endswith("/d1/database")
        return faults.pop() if is_creation and when == moment and faults else None

    cloudflare.hook = lose
    cloud_sample.write_program(make_graph()).up()
    assert cloudflare.world.names()["databases"] == ["flow"]
    assert cloud_sample.find_record("db")["id"] in cloudflare.world.databases


def test_a_database_with_tables_is_not_adopted_after_a_lost_answer(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloudflare.world.databases["x"] = {"uuid": "x", "name": "flow", "num_tables": 4}
    posts = []

    def lose(request: Request, when: str) -> str | None:
        if request.method == "POST" and when == "before" and not posts:
            posts.append(request)
            return "cut"
        return None

    cloudflare.hook = lose
    with pytest.raises(UpdateFailed, match="this stack did not create it"):
        cloud_sample.write_program(make_graph()).up()


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ('mainModule="w.js"', "content is missing"),
        ('content="x"', "exactly one of mainModule and bodyPart"),
        ('content="x", mainModule="w.js", contentFile="w.js"', "contentFile is not served"),
        (
            'content="x", mainModule="w.js", files={"a.wasm": {"contentFile": "a.wasm"}}',
            "a.wasm.*contentFile is not served",
        ),
        (
            'content="x", mainModule="w.js", files={"a.wasm": {"contentBase64": "!"}}',
            "a.wasm.*contentBase64 is not base64",
        ),
    ],
)
def test_inputs_that_cannot_work_are_named(cloud_sample: Sample, props: str, message: str) -> None:
    cloud_sample.write_program(
        f"""
        from cloud import *
        WorkersScript("w", accountId="{ACCOUNT}", scriptName="w", {props})
        """
    )
    with pytest.raises(UpdateFailed, match=message):
        cloud_sample.up()


def test_an_api_on_another_machine_is_refused_before_a_request_is_sent(
    tmp_path: Path,
) -> None:
    config = {"cloudflare:baseUrl": "https://api.cloudflare.com/client/v4"}
    remote = make_sample(tmp_path / "project", make_graph(), config)
    with pytest.raises(EngineError, match=r"refuses the API at https://api\.cloudflare\.com"):
        remote.up()
    assert not remote.state_file.exists()
    assert remote.preview().changed > 0


def test_a_missing_api_address_is_refused(sample: Sample) -> None:
    with pytest.raises(UpdateFailed, match="no Cloudflare API to talk to"):
        sample.write_program(make_graph()).up()


def test_base_url_and_token_may_be_in_the_environment(
    sample: Sample, cloudflare: FakeCloudflare
) -> None:
    sample.environ |= {
        "CLOUDFLARE_BASE_URL": cloudflare.base_url,
        "CLOUDFLARE_API_TOKEN": TOKEN,
    }
    sample.write_program(make_graph()).up()
    assert cloudflare.world.names()["scripts"] == ["flowflare-service", "orders"]
    assert TOKEN not in sample.state_file.read_text()
