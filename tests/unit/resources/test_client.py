"""A client that a program of its own declares, as the engine hears of it."""

from pathlib import Path

import pulumi
import pytest

from tests.unit.resources.recording_monitor import RecordingMonitor, record

CONFIG = {
    "flowflare:accountId": "f" * 32,
    "flowflare:clients": '{"reports": {"source": "reports.js", "databases": {"_DB": {}}}}',
    "flowflare:allowDataLoss": '{"flowflare-reports-db-database": "a test"}',
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: reports\nruntime: python\n")
    (tmp_path / "reports.js").write_text("export default { fetch() {} };\n")
    monkeypatch.chdir(tmp_path)


def declare(client: str, **config: str) -> RecordingMonitor:
    def program() -> None:
        from flowflare.resources import FlowflareClient, ServiceReference

        service = ServiceReference(
            script_name=pulumi.Output.from_input("live-service"),
            api_key=pulumi.Output.secret("the key"),
        )
        FlowflareClient.from_config(client, service=service)

    return record(program, config=CONFIG | config, project="reports")


def test_it_is_bound_to_the_service_that_the_reference_names() -> None:
    script = declare("reports").named("flowflare-reports-script")
    bindings = {one["name"]: one for one in script.inputs["bindings"]["secret"]}
    assert bindings["WORKFLOW_SERVICE"]["service"] == "live-service"
    assert bindings["WORKFLOW_TRACKER"]["scriptName"] == "live-service"
    assert bindings["WORKFLOW_API_KEY"]["text"] == "the key"


def test_its_database_is_protected_unless_the_configuration_lifts_it() -> None:
    name = "flowflare-reports-db-database"
    assert declare("reports").named(name).protect is False
    assert declare("reports", **{"flowflare:allowDataLoss": "{}"}).named(name).protect is True


def test_a_client_that_the_configuration_has_not_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="there is no client 'report'") as caught:
        declare("report")
    assert "Did you mean `reports`?" in str(caught.value)
