"""The bindings of a stack's Workers, as Cloudflare's API names them, sorted by name.

The API answers them sorted and `PUT` replaces them wholesale, so one place says which there are.
What only Cloudflare or a secret's source knows is not in them and is filled in by who declares or
uploads: databases' ids, keys and secrets.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, JsonValue

from flowflare.model.client import BoundSpec, ClientSpec, OwnSpec, WorkflowSpec
from flowflare.model.frozen import Frozen
from flowflare.model.secret_sources import SecretSource

TRACKER_CLASS = "WorkflowTracker"
#: The entrypoint that the service offers to other Workers of the account.
RPC_CLASS = "FlowflareService"
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
    """A D1 database of the stack; its id is not known here."""

    name: str
    type: Literal["d1"] = "d1"


class ClassBinding(Frozen):
    """A Durable Object class, of the script itself or of another one."""

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
    """The stack's API key, the one in use or another generation of it."""

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


class OwnBinding(Frozen):
    """A resource of the client's own; the ID that its field may need is filled in."""

    name: str
    own: OwnSpec = Field(exclude=True)


class BoundBinding(Frozen):
    """Something outside of the stack, of any type; its secret fields are filled in."""

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


def storage_bindings() -> tuple[Binding, ...]:
    """What the service has before its clients exist: its database and its own class."""
    return (
        DatabaseBinding(name=DATABASE_BINDING),
        ClassBinding(name=TRACKER_BINDING, class_name=TRACKER_CLASS),
    )


def is_reserved_in_service(name: str) -> bool:
    """Whether the service has a binding of that name itself, or has it while keys are rotated."""
    return name in SERVICE_RESERVED or name.startswith(f"{SERVICE_KEY_BINDING}_")


def service_bindings(
    clients: Sequence[ClientSpec], other_keys: Iterable[int] = ()
) -> tuple[Binding, ...]:
    """The service's bindings: storage, the keys, and every client's Workflows.

    Args:
        clients: the clients whose Workflows it starts.
        other_keys: generations of the API key that it accepts beside the one in use.
    """
    workflows = (
        _workflow(workflow, script_name=client.script_name)
        for client in clients
        for workflow in client.workflows
    )
    others = (
        ApiKeyBinding(name=f"{SERVICE_KEY_BINDING}_{generation}", generation=generation)
        for generation in other_keys
    )
    key = ApiKeyBinding(name=SERVICE_KEY_BINDING)
    return _sorted([*storage_bindings(), key, *others, *workflows])


def client_bindings(client: ClientSpec, service_script_name: str) -> tuple[Binding, ...]:
    """A client's bindings: the service with its class and key, and what is the client's own."""
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
    return _sorted(
        [
            *service,
            *own_storage(client),
            *(_workflow(workflow) for workflow in client.workflows),
            *(_variable(name, value) for name, value in client.variables.items()),
            *(SecretBinding(name=key, source=value) for key, value in client.secrets.items()),
            *(OwnBinding(name=own.binding, own=own) for own in client.own),
            *(_bound(binding) for binding in client.bindings),
        ]
    )


def own_storage(client: ClientSpec) -> tuple[Binding, ...]:
    """A client's own databases and Durable Object classes."""
    return (
        *(DatabaseBinding(name=database.binding) for database in client.databases),
        *(
            ClassBinding(name=durable_object.binding, class_name=durable_object.class_name)
            for durable_object in client.durable_objects
        ),
    )


def first_bindings(client: ClientSpec) -> tuple[Binding, ...]:
    """What a client has before its secrets exist: its storage, and the service, whose it is."""
    service = ServiceBinding(name=SERVICE_BINDING, service="")
    return _sorted([service, *own_storage(client)])


def scripts_bound(client: ClientSpec) -> frozenset[str]:
    """The other scripts that must be there before the client's: what it is bound to and sends to.

    The service is not among them.
    """
    found: set[object] = set(client.tail_consumers)
    for binding in client.bindings:
        found |= {binding.fields.get("service"), binding.fields.get("script_name")}
    texts = {name for name in found if isinstance(name, str)}
    return frozenset(texts - {client.script_name})


def to_wire(binding: Binding) -> dict[str, Any]:
    """A binding as the API takes it, without what is filled in."""
    if isinstance(binding, BoundBinding):
        return {"name": binding.name, "type": binding.type, **binding.fields}
    if isinstance(binding, OwnBinding):
        own = binding.own
        named = {} if own.is_bound_by_id else {own.bound_by: own.name}
        return {"name": binding.name, "type": own.bound_as, **named}
    return binding.model_dump(by_alias=True, exclude_none=True)


def _bound(binding: BoundSpec) -> BoundBinding:
    return BoundBinding(
        name=binding.name, type=binding.type, fields=binding.fields, secrets=binding.secrets
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
