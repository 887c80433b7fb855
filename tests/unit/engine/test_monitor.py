"""The embedded engine works with the installed SDK: these fail if the SDK changes."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from flowflare.engine.embedded.apply import Deployer
from flowflare.engine.embedded.goal import read_goal
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.monitor import Engine, ResourceMonitor
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.engine.report import RunLog
from flowflare.errors import EngineError
from flowflare.state.checkpoint import Deployment
from flowflare.values.events import Event

# Only called where the monitor offers the feature, and it does not.
NOT_OFFERED = {
    "RegisterStackTransform",
    "RegisterStackInvokeTransform",
    "RegisterResourceHook",
    "RegisterErrorHook",
}
STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"


def make_monitor(events: list[Event]) -> ResourceMonitor:
    report = RunLog(events.append, lambda: 0.0)
    ledger = Ledger(Deployment(), str, None)
    providers = Providers("p", "dev", {}, {})
    deployer = Deployer(ledger, providers, report, dry_run=True)
    return ResourceMonitor("p", "dev", deployer, dry_run=True)


def methods(kind: type) -> set[str]:
    return {name for name in vars(kind) if name[0].isupper()}


def test_the_sdk_is_the_one_that_the_engine_was_written_for() -> None:
    assert version("pulumi").startswith("3.272.")
    monitor = resource_pb2_grpc.ResourceMonitorServicer
    assert methods(ResourceMonitor) == methods(monitor) - NOT_OFFERED
    engine = engine_pb2_grpc.EngineServicer
    assert methods(Engine) == methods(engine) - {"StartDebugging"}


def test_features_are_offered_by_number_and_by_name() -> None:
    monitor = make_monitor([])
    info = monitor.GetDeploymentInfo(empty_pb2.Empty())
    assert resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS in info.supportedFeatures
    assert resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS not in info.supportedFeatures
    assert info.dryRun
    for name, offered in [("secrets", True), ("aliasSpecs", True), ("transforms", False)]:
        request = resource_pb2.SupportsFeatureRequest(id=name)
        assert monitor.SupportsFeature(request).hasSupport is offered


def test_get_resource_answers_what_was_registered() -> None:
    monitor = make_monitor([])
    request = resource_pb2.RegisterResourceRequest(type="t:t:T", name="n", custom=True)
    request.object.update({"a": 1})
    urn = monitor.RegisterResource(request).urn
    assert urn == "urn:pulumi:dev::p::t:t:T::n"
    ask = resource_pb2.ResourceInvokeRequest(tok="pulumi:pulumi:getResource")
    ask.args.update({"urn": urn})
    found = getattr(monitor.Invoke(ask), "return")
    assert found["state"]["a"] == 1
    ask.args.update({"urn": "urn:pulumi:dev::p::t:t:T::missing"})
    with pytest.raises(EngineError, match="missing, which is not part of the stack"):
        monitor.Invoke(ask)


@pytest.mark.parametrize(
    ("method", "request_", "said"),
    [
        ("Call", resource_pb2.ResourceCallRequest(tok="a:b/c"), "the method a:b/c"),
        ("RegisterPackage", resource_pb2.RegisterPackageRequest(name="k"), "package k"),
        ("ExistsResource", resource_pb2.ExistsResourceRequest(type="t"), "whether a t exists"),
    ],
)
def test_a_request_that_is_not_supported_is_named(method: str, request_: object, said: str) -> None:
    with pytest.raises(EngineError, match=said) as caught:
        getattr(make_monitor([]), method)(request_)
    assert caught.value.remedy is not None
    assert "Pulumi CLI" in caught.value.remedy


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"importId": "x"}, "needs import"),
        ({"remote": True}, "a component of another language"),
        ({"packageRef": "x"}, "a parameterized package"),
    ],
)
def test_a_registration_that_is_not_supported_is_named(
    fields: dict[str, object], said: str
) -> None:
    request = resource_pb2.RegisterResourceRequest(type="t:t:T", name="n", **fields)
    with pytest.raises(EngineError, match=said):
        read_goal(request, "urn:pulumi:dev::p::t:t:T::n")


@pytest.mark.parametrize("text", ["5", "5 minutes", "m5"])
def test_a_timeout_that_is_not_a_duration_is_named(text: str) -> None:
    timeouts = resource_pb2.RegisterResourceRequest.CustomTimeouts(create=text)
    request = resource_pb2.RegisterResourceRequest(type="t", name="n", customTimeouts=timeouts)
    with pytest.raises(EngineError, match="is not a duration"):
        read_goal(request, "urn:pulumi:dev::p::t::n")


def test_the_engine_reports_messages_and_knows_the_root() -> None:
    events: list[Event] = []
    engine = Engine(RunLog(events.append, lambda: 0.0))
    for severity in ("DEBUG", "INFO", "WARNING", "ERROR"):
        engine.Log(engine_pb2.LogRequest(severity=getattr(engine_pb2, severity), message=severity))
    assert [(event.message, event.severity) for event in events] == [
        ("INFO", "info"),
        ("WARNING", "warning"),
        ("ERROR", "error"),
    ]
    engine.SetRootResource(engine_pb2.SetRootResourceRequest(urn=STACK))
    assert engine.GetRootResource(engine_pb2.GetRootResourceRequest()).urn == STACK
    engine.RequirePulumiVersion(engine_pb2.RequirePulumiVersionRequest())


FRUGAL = """
import sys
from pathlib import Path
from tests.support.embedded import open_embedded
heavy = {"pulumi", "grpc", "cloudflare", "pulumi_cloudflare", "cryptography", "httpx"}
stack = open_embedded(Path(sys.argv[1]), "dev", environ={"PULUMI_CONFIG_PASSPHRASE": "x"})
assert stack.outputs() == {} and stack.is_empty()
print(sorted(heavy & set(sys.modules)))
stack.preview()
print(sorted(heavy & set(sys.modules)))
"""


def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").write_text(
        "import pulumi\n"
        "pulumi.CustomResource('cloudflare:index/d1Database:D1Database', 'db',\n"
        "    {'accountId': 'a', 'name': 'n'})\n"
    )
    command = [sys.executable, "-c", FRUGAL, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "['grpc', 'pulumi']"]
