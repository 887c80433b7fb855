"""Serve Pulumi's ResourceMonitor and Engine to the Python SDK in this process.

Methods and their messages are those of `proto/pulumi/resource.proto` and `engine.proto` of pulumi
3.272; the SDK calls them as it calls its gRPC stubs, from threads of the event loop's executor.
"""

from typing import TYPE_CHECKING, Any, Final

from flowflare.engine.embedded.apply import Answer, Deployer
from flowflare.engine.embedded.goal import Goal, read_goal
from flowflare.engine.report import RunLog
from flowflare.errors import EngineError
from flowflare.values.events import Event
from flowflare.values.properties import Props
from flowflare.values.urns import child
from flowflare.values.wire import read_struct, write_struct

if TYPE_CHECKING:
    from google.protobuf import empty_pb2  # type: ignore[import-untyped]
    from pulumi.runtime.proto import engine_pb2, resource_pb2

_FEATURES: Final = (
    "SECRETS",
    "RESOURCE_REFERENCES",
    "ALIAS_SPECS",
    "REPLACEMENT_TRIGGER",
    "DELETED_WITH",
    "REPLACE_WITH",
)


class ResourceMonitor:
    """Receives the resources that a Pulumi program declares.

    Args:
        deployer: serves the registrations.
        dry_run: whether it is a preview.
    """

    def __init__(self, project: str, stack: str, deployer: Deployer, *, dry_run: bool) -> None:
        self._project = project
        self._stack = stack
        self._deployer = deployer
        self._dry_run = dry_run

    def GetDeploymentInfo(self, request: "empty_pb2.Empty") -> "resource_pb2.DeploymentInfo":  # noqa: N802
        """Return which of the protocol's features are supported."""
        from pulumi.runtime.proto import resource_pb2

        del request
        prefix = "RESOURCE_MONITOR_FEATURE_"
        features = [getattr(resource_pb2, prefix + name) for name in _FEATURES]
        return resource_pb2.DeploymentInfo(
            project=self._project,
            stack=self._stack,
            organization="organization",
            dryRun=self._dry_run,
            supportedFeatures=features,
        )

    def SupportsFeature(  # noqa: N802
        self, request: "resource_pb2.SupportsFeatureRequest"
    ) -> "resource_pb2.SupportsFeatureResponse":
        """Return whether one feature is supported; older SDKs ask this way."""
        from pulumi.runtime.proto import resource_pb2

        camel = {name.replace("_", "").lower() for name in _FEATURES}
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id.lower() in camel)

    def RegisterResource(  # noqa: N802
        self, request: "resource_pb2.RegisterResourceRequest"
    ) -> "resource_pb2.RegisterResourceResponse":
        """Bring a resource to what the request declares, and answer with its outputs.

        Raises:
            EngineError: the request needs something that is not supported, or repeats a name.
        """
        from pulumi.runtime.proto import resource_pb2

        urn = self._urn(request.parent, request.type, request.name)
        answer = self._deployer.register(read_goal(request, urn))
        return resource_pb2.RegisterResourceResponse(
            urn=urn,
            id=answer.id,
            object=write_struct(answer.outputs),
            result=resource_pb2.Result.SUCCESS if answer.good else resource_pb2.Result.FAIL,
        )

    def RegisterResourceOutputs(  # noqa: N802
        self, request: "resource_pb2.RegisterResourceOutputsRequest"
    ) -> "empty_pb2.Empty":
        """Set the outputs of a component or of the stack."""
        from google.protobuf import empty_pb2

        self._deployer.set_outputs(request.urn, read_struct(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(  # noqa: N802
        self, request: "resource_pb2.ReadResourceRequest"
    ) -> "resource_pb2.ReadResourceResponse":
        """Read something that the stack does not manage, such as another stack's outputs."""
        from pulumi.runtime.proto import resource_pb2

        goal = Goal(
            urn=self._urn(request.parent, request.type, request.name),
            type=request.type,
            name=request.name,
            custom=True,
            inputs=read_struct(request.properties),
            parent=request.parent,
            dependencies=tuple(sorted(request.dependencies)),
            provider=request.provider,
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            version=request.version,
        )
        answer: Answer = self._deployer.read(goal, request.id)
        return resource_pb2.ReadResourceResponse(
            urn=answer.urn,
            id=answer.id,
            properties=write_struct(answer.outputs),
            result=resource_pb2.Result.SUCCESS if answer.good else resource_pb2.Result.FAIL,
        )

    def Invoke(  # noqa: N802
        self, request: "resource_pb2.ResourceInvokeRequest"
    ) -> "resource_pb2.ResourceInvokeResponse":
        """Answer `getResource`, with which the SDK follows a reference to a resource.

        Raises:
            EngineError: the request calls any other function.
        """
        from pulumi.runtime.proto import resource_pb2

        if request.tok != "pulumi:pulumi:getResource":
            raise _make_refusal(f"the function {request.tok}")
        urn = str(read_struct(request.args).get("urn"))
        record = self._deployer.current(urn)
        if record is None:
            raise EngineError(f"the program refers to {urn}, which is not part of the stack")
        state: Props = {"urn": urn, "id": record.id, "state": record.outputs}
        fields: dict[str, Any] = {"return": write_struct(state)}
        return resource_pb2.ResourceInvokeResponse(**fields)

    def Call(self, request: Any) -> Any:  # noqa: N802
        """Refuse methods of resources."""
        raise _make_refusal(f"the method {request.tok}")

    def ExistsResource(self, request: Any) -> Any:  # noqa: N802
        """Refuse to check whether a resource exists."""
        raise _make_refusal(f"asking whether a {request.type} exists")

    def RegisterPackage(self, request: Any) -> Any:  # noqa: N802
        """Refuse parameterized packages."""
        raise _make_refusal(f"the parameterized package {request.name}")

    def SignalAndWaitForShutdown(self, request: "empty_pb2.Empty") -> "empty_pb2.Empty":  # noqa: N802
        """Let the program end at once; there are no hooks to run."""
        return request

    def _urn(self, parent: str, type_: str, name: str) -> str:
        return child(self._stack, self._project, parent, type_, name)


class Engine:
    """Receives the messages that a Pulumi program logs.

    Args:
        report: takes the messages.
    """

    def __init__(self, report: RunLog) -> None:
        self._report = report
        self._root = ""

    def Log(self, request: "engine_pb2.LogRequest") -> "empty_pb2.Empty":  # noqa: N802
        """Report a message, unless its severity is debug."""
        from google.protobuf import empty_pb2
        from pulumi.runtime.proto import engine_pb2

        if request.severity == engine_pb2.WARNING:
            self._report.note(Event("note", message=request.message, severity="warning"))
        elif request.severity == engine_pb2.ERROR:
            self._report.note(Event("note", message=request.message, severity="error"))
        elif request.severity == engine_pb2.INFO:
            self._report.note(Event("note", message=request.message))
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any) -> "engine_pb2.GetRootResourceResponse":  # noqa: N802
        """Return the URN of the stack."""
        from pulumi.runtime.proto import engine_pb2

        del request
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(  # noqa: N802
        self, request: "engine_pb2.SetRootResourceRequest"
    ) -> "engine_pb2.SetRootResourceResponse":
        """Store the URN of the stack."""
        from pulumi.runtime.proto import engine_pb2

        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(self, request: Any) -> Any:  # noqa: N802
        """Accept every version: there is no CLI."""
        from pulumi.runtime.proto import engine_pb2

        del request
        return engine_pb2.RequirePulumiVersionResponse()


def _make_refusal(what: str) -> EngineError:
    return EngineError(
        f"the program uses {what}, which the embedded engine does not support",
        remedy="Remove it, or run this stack with the Pulumi CLI "
        "(remove flowflare:engine from its file).",
    )
