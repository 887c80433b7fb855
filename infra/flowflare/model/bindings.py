"""List the bindings of a stack's Workers, in the form of Cloudflare's API, sorted by name.

The API returns bindings sorted, and `PUT` replaces all of them, so one module defines which
bindings a script has. Values that only Cloudflare or a secret's source knows are filled in later by
the code that declares or uploads: database IDs, keys and secrets.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, JsonValue

from flowflare.model.client import BoundSpec, ClientSpec, OwnSpec, WorkflowSpec
from flowflare.model.frozen import Frozen
from flowflare.model.secret_sources import SecretSource

TRACKER_CLASS = "WorkflowTracker"
#: The entrypoint of the service for other Workers of the account.
RPC_CLASS = "FlowflareService"
DATABASE_BINDING = "DB"
TRACKER_BINDING = "WORKFLOW_TRACKER"
SERVICE_KEY_BINDING = "SERVICE_API_KEY"
SERVICE_BINDING = "WORKFLOW_SERVICE"
CLIENT_KEY_BINDING = "WORKFLOW_API_KEY"
RPC_BINDING = "WORKFLOW_SERVICE_RPC"

#: Binding names that a client's variables and Workflows cannot use.
CLIENT_RESERVED = frozenset({SERVICE_BINDING, TRACKER_BINDING, CLIENT_KEY_BINDING})
#: Binding names that a Workflow cannot use in the service.
SERVICE_RESERVED = frozenset({DATABASE_BINDING, TRACKER_BINDING, SERVICE_KEY_BINDING})


class DatabaseBinding(Frozen):
    """A D1 database of the stack; its ID is filled in later."""

    name: str
    type: Literal["d1"] = "d1"


class ClassBinding(Frozen):
    """A Durable Object class of the script itself or of another script."""

    name: str
    class_name: str
    script_name: str | None = None
    type: Literal["durable_object_namespace"] = "durable_object_namespace"


class ServiceBinding(Frozen):
    """The stack's service."""

    name: str
    service: str
    entrypoint: str | None = None
    type: Literal["service"] = "service"


class ApiKeyBinding(Frozen):
    """The stack's API key: the one in use, or another generation."""

    name: str
    generation: int | None = Field(default=None, exclude=True)
    type: Literal["secret_text"] = "secret_text"


class SecretBinding(Frozen):
    """A secret of a client."""

    name: str
    source: SecretSource = Field(exclude=True)
    type: Literal["secret_text"] = "secret_text"


class VariableBinding(Frozen):
    """A plain-text variable."""

    name: str
    text: str
    type: Literal["plain_text"] = "plain_text"


class JsonBinding(Frozen):
    """A JSON variable, which the Worker receives parsed."""

    name: str
    json_value: JsonValue = Field(serialization_alias="json")
    type: Literal["json"] = "json"


class WorkflowBinding(Frozen):
    """A Workflow of the script itself or of another script."""

    name: str
    workflow_name: str
    class_name: str
    script_name: str | None = None
    type: Literal["workflow"] = "workflow"


class OwnBinding(Frozen):
    """A resource that the binding makes; its field may need an ID, which is filled in later."""

    name: str
    own: OwnSpec = Field(exclude=True)


class BoundBinding(Frozen):
    """A resource of any type outside of the stack; its secret fields are filled in later."""

    name: str
    type: str
    fields: Mapping[str, JsonValue]
    secrets: Mapping[str, SecretSource] = Field(exclude=True)


Binding = (
    DatabaseBinding
    | ClassBinding
    | ServiceBinding
    | ApiKeyBinding
    | SecretBinding
    | VariableBinding
    | JsonBinding
    | WorkflowBinding
    | OwnBinding
    | BoundBinding
)


def list_storage_bindings() -> tuple[Binding, ...]:
    """Return the service's bindings before its clients exist: its database and its own class."""
    return (
        DatabaseBinding(name=DATABASE_BINDING),
        ClassBinding(name=TRACKER_BINDING, class_name=TRACKER_CLASS),
    )


def is_reserved_in_service(name: str) -> bool:
    """Return whether the service itself uses the name, always or during key rotations."""
    return name in SERVICE_RESERVED or name.startswith(f"{SERVICE_KEY_BINDING}_")


def list_service_bindings(
    clients: Sequence[ClientSpec], other_keys: Iterable[int] = ()
) -> tuple[Binding, ...]:
    """Return the service's bindings: storage, the keys, and every client's Workflows.

    Args:
        clients: the clients whose Workflows it starts.
        other_keys: generations of the API key that it accepts besides the one in use.
    """
    workflows = (
        _make_workflow(workflow, script_name=client.script_name)
        for client in clients
        for workflow in client.workflows
    )
    others = (
        ApiKeyBinding(name=f"{SERVICE_KEY_BINDING}_{generation}", generation=generation)
        for generation in other_keys
    )
    key = ApiKeyBinding(name=SERVICE_KEY_BINDING)
    return _sort([*list_storage_bindings(), key, *others, *workflows])


def list_client_bindings(client: ClientSpec, service_script_name: str) -> tuple[Binding, ...]:
    """Return a client's bindings: the service with its class and key, and the client's own."""
    service: list[Binding] = [
        ServiceBinding(name=SERVICE_BINDING, service=service_script_name),
        ClassBinding(
            name=TRACKER_BINDING, class_name=TRACKER_CLASS, script_name=service_script_name
        ),
        ApiKeyBinding(name=CLIENT_KEY_BINDING),
    ]
    if client.rpc:
        service.append(
            ServiceBinding(name=RPC_BINDING, service=service_script_name, entrypoint=RPC_CLASS)
        )
    return _sort(
        [
            *service,
            *list_own_storage(client),
            *(_make_workflow(workflow) for workflow in client.workflows),
            *(_make_variable(name, value) for name, value in client.variables.items()),
            *(SecretBinding(name=key, source=value) for key, value in client.secrets.items()),
            *(OwnBinding(name=own.binding, own=own) for own in client.own),
            *(_make_bound(binding) for binding in client.bindings),
        ]
    )


def list_own_storage(client: ClientSpec) -> tuple[Binding, ...]:
    """Return the bindings to a client's own databases and Durable Object classes."""
    return (
        *(DatabaseBinding(name=database.binding) for database in client.databases),
        *(
            ClassBinding(name=durable_object.binding, class_name=durable_object.class_name)
            for durable_object in client.durable_objects
        ),
    )


def list_first_bindings(client: ClientSpec) -> tuple[Binding, ...]:
    """Return a client's bindings before its secrets exist: its storage, and the service."""
    service = ServiceBinding(name=SERVICE_BINDING, service="")
    return _sort([service, *list_own_storage(client)])


def list_bound_scripts(client: ClientSpec) -> frozenset[str]:
    """Return the other scripts that must exist first: bound scripts and tail consumers.

    The service is not included.
    """
    found: set[object] = set(client.tail_consumers)
    for binding in client.bindings:
        found |= {binding.fields.get("service"), binding.fields.get("script_name")}
    texts = {name for name in found if isinstance(name, str)}
    return frozenset(texts - {client.script_name})


def to_wire(binding: Binding) -> dict[str, Any]:
    """Convert a binding to the API's form, without values that are filled in later."""
    if isinstance(binding, BoundBinding):
        return {"name": binding.name, "type": binding.type, **binding.fields}
    if isinstance(binding, OwnBinding):
        own = binding.own
        named = {} if own.is_bound_by_id else {own.bound_by: own.name}
        return {"name": binding.name, "type": own.bound_as, **named}
    return binding.model_dump(by_alias=True, exclude_none=True)


def _make_bound(binding: BoundSpec) -> BoundBinding:
    return BoundBinding(
        name=binding.name, type=binding.type, fields=binding.fields, secrets=binding.secrets
    )


def _make_variable(name: str, value: JsonValue) -> VariableBinding | JsonBinding:
    if isinstance(value, str):
        return VariableBinding(name=name, text=value)
    return JsonBinding(name=name, json_value=value)


def _make_workflow(workflow: WorkflowSpec, script_name: str | None = None) -> WorkflowBinding:
    return WorkflowBinding(
        name=workflow.binding,
        workflow_name=workflow.workflow_name,
        class_name=workflow.class_name,
        script_name=script_name,
    )


def _sort(bindings: Iterable[Binding]) -> tuple[Binding, ...]:
    return tuple(sorted(bindings, key=lambda binding: binding.name))
