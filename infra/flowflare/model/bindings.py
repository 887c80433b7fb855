"""The bindings of a stack's Workers, as Cloudflare's API names them, sorted by name.

The API answers them sorted and `PUT` replaces them wholesale, so one place says which there are.
Two values are not known here and are filled in by who declares or uploads: the database's id and
the API key.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field, JsonValue

from flowflare.model.client import ClientSpec, WorkflowSpec
from flowflare.model.frozen import Frozen

TRACKER_CLASS = "WorkflowTracker"
DATABASE_BINDING = "DB"
TRACKER_BINDING = "WORKFLOW_TRACKER"
SERVICE_KEY_BINDING = "SERVICE_API_KEY"
SERVICE_BINDING = "WORKFLOW_SERVICE"
CLIENT_KEY_BINDING = "WORKFLOW_API_KEY"
RPC_BINDING = "WORKFLOW_SERVICE_RPC"

#: What a client's variables and Workflows cannot be bound as.
CLIENT_RESERVED = frozenset({SERVICE_BINDING, TRACKER_BINDING, CLIENT_KEY_BINDING})
#: What a Workflow cannot be bound as in the service.
SERVICE_RESERVED = frozenset({DATABASE_BINDING, TRACKER_BINDING, SERVICE_KEY_BINDING})


class DatabaseBinding(Frozen):
    """The stack's D1 database."""

    name: str
    type: Literal["d1"] = "d1"


class TrackerBinding(Frozen):
    """The Durable Object class, in the script itself or in another one."""

    name: str
    class_name: str
    script_name: str | None = None
    type: Literal["durable_object_namespace"] = "durable_object_namespace"


class ServiceBinding(Frozen):
    """Another Worker."""

    name: str
    service: str
    type: Literal["service"] = "service"


class ApiKeyBinding(Frozen):
    """The stack's API key."""

    name: str
    type: Literal["secret_text"] = "secret_text"


class VariableBinding(Frozen):
    """A plain-text variable."""

    name: str
    text: str
    type: Literal["plain_text"] = "plain_text"


class JsonBinding(Frozen):
    """A variable that is more than a text, parsed already when the Worker sees it."""

    name: str
    json_value: JsonValue = Field(serialization_alias="json")
    type: Literal["json"] = "json"


class WorkflowBinding(Frozen):
    """A Workflow, of the script itself or of another one."""

    name: str
    workflow_name: str
    class_name: str
    script_name: str | None = None
    type: Literal["workflow"] = "workflow"


Binding = (
    DatabaseBinding
    | TrackerBinding
    | ServiceBinding
    | ApiKeyBinding
    | VariableBinding
    | JsonBinding
    | WorkflowBinding
)


def storage_bindings() -> tuple[Binding, ...]:
    """What the service has before its clients exist: its database and its own class."""
    return (
        DatabaseBinding(name=DATABASE_BINDING),
        TrackerBinding(name=TRACKER_BINDING, class_name=TRACKER_CLASS),
    )


def service_bindings(clients: Sequence[ClientSpec]) -> tuple[Binding, ...]:
    """The service's bindings: storage, the key, and every client's Workflows."""
    workflows = (
        _workflow(workflow, script_name=client.script_name)
        for client in clients
        for workflow in client.workflows
    )
    key = ApiKeyBinding(name=SERVICE_KEY_BINDING)
    return _sorted([*storage_bindings(), key, *workflows])


def client_bindings(client: ClientSpec, service_script_name: str) -> tuple[Binding, ...]:
    """A client's bindings: the service, its class and key, own Workflows and variables."""
    return _sorted(
        [
            ServiceBinding(name=SERVICE_BINDING, service=service_script_name),
            TrackerBinding(
                name=TRACKER_BINDING,
                class_name=TRACKER_CLASS,
                script_name=service_script_name,
            ),
            ApiKeyBinding(name=CLIENT_KEY_BINDING),
            *(_workflow(workflow) for workflow in client.workflows),
            *(_variable(name, value) for name, value in client.variables.items()),
        ]
    )


def _variable(name: str, value: JsonValue) -> VariableBinding | JsonBinding:
    if isinstance(value, str):
        return VariableBinding(name=name, text=value)
    return JsonBinding(name=name, json_value=value)


def _workflow(workflow: WorkflowSpec, script_name: str | None = None) -> WorkflowBinding:
    return WorkflowBinding(
        name=workflow.binding,
        workflow_name=workflow.workflow_name,
        class_name=workflow.class_name,
        script_name=script_name,
    )


def _sorted(bindings: Iterable[Binding]) -> tuple[Binding, ...]:
    return tuple(sorted(bindings, key=lambda binding: binding.name))
