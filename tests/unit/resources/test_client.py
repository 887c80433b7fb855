"""A client that a program declares on its own, as the engine receives it."""

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


def test_the_client_is_bound_to_the_service_that_the_reference_names() -> None:
    script = declare("reports").get_resource("flowflare-reports-script")
    bindings = {binding["name"]: binding for binding in script.inputs["bindings"]["secret"]}
    assert bindings["WORKFLOW_SERVICE"]["service"] == "live-service"
    assert bindings["WORKFLOW_TRACKER"]["scriptName"] == "live-service"
    assert bindings["WORKFLOW_API_KEY"]["text"] == "the key"


def test_the_database_is_protected_unless_the_configuration_lifts_it() -> None:
    name = "flowflare-reports-db-database"
    assert declare("reports").get_resource(name).protect is False
    assert (
        declare("reports", **{"flowflare:allowDataLoss": "{}"}).get_resource(name).protect is True
    )


def test_an_unknown_client_is_refused() -> None:
    match = "does not have a client 'report'"
    with pytest.raises(pulumi.RunError, match=match) as caught:
        declare("report")
    assert "Did you mean `reports`?" in str(caught.value)
