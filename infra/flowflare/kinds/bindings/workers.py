"""List the bindings of a stack's Workers, in the form of Cloudflare's API, sorted by name.

The API returns bindings sorted, and `PUT` replaces all of them, so one module defines which
bindings a script has. Values that only Cloudflare or a secret's source knows are filled in later by
the code that declares or uploads: database IDs, keys and secrets.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import Field, JsonValue

from flowflare.kinds.bindings.binding import Binding, BindingValues, BoundBinding
from flowflare.kinds.bindings.compact import ASSETS
from flowflare.kinds.bindings.contract import BindingType
from flowflare.kinds.bindings.d1 import DatabaseBinding
from flowflare.kinds.bindings.durable_object_namespace import ClassBinding
from flowflare.kinds.bindings.json import JsonVariableBinding
from flowflare.kinds.bindings.plain_text import VariableBinding
from flowflare.kinds.bindings.registry import BINDING_TYPES
from flowflare.kinds.bindings.secret_text import ApiKeyBinding, SecretBinding
from flowflare.kinds.bindings.service import ServiceBinding
from flowflare.kinds.bindings.workflow import WorkflowBinding
from flowflare.model.bindings import (
    CLIENT_KEY_BINDING,
    DATABASE_BINDING,
    RPC_BINDING,
    RPC_CLASS,
    SERVICE_BINDING,
    SERVICE_KEY_BINDING,
    TRACKER_BINDING,
    TRACKER_CLASS,
)
from flowflare.model.client import BoundSpec, ClientSpec, OwnSpec, WorkflowSpec


class OwnBinding(Binding):
    """A resource that the binding makes; its field may need an ID, which is filled in later."""

    own: OwnSpec = Field(exclude=True)

    @property
    def bound_as(self) -> BindingType:
        """The type that binds the resource."""
        return BINDING_TYPES[self.own.bound_as]

    def to_wire(self) -> dict[str, Any]:
        """Return the API's form, without an ID."""
        named = {} if self.bound_as.is_target_id else {self.bound_as.target: self.own.name}
        return {"name": self.name, "type": self.bound_as.name, **named}

    def fill(self, values: BindingValues) -> dict[str, Any]:
        """Return the resource's ID, if the binding needs it."""
        is_filled = self.bound_as.is_target_id
        return {self.bound_as.target: values.own[self.name]} if is_filled else {}


def list_storage_bindings() -> tuple[Binding, ...]:
    """Return the service's bindings before its clients exist: its database and its own class."""
    return (
        DatabaseBinding(name=DATABASE_BINDING),
        ClassBinding(name=TRACKER_BINDING, class_name=TRACKER_CLASS),
    )


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
            *_list_assets(client),
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


def _list_assets(client: ClientSpec) -> tuple[BoundBinding, ...]:
    name = client.assets.binding if client.assets else None
    return (BoundBinding(name=name, type=ASSETS.name, fields={}, secrets={}),) if name else ()


def _make_bound(binding: BoundSpec) -> BoundBinding:
    return BoundBinding(
        name=binding.name, type=binding.type, fields=binding.fields, secrets=binding.secrets
    )


def _make_variable(name: str, value: JsonValue) -> VariableBinding | JsonVariableBinding:
    if isinstance(value, str):
        return VariableBinding(name=name, text=value)
    return JsonVariableBinding(name=name, json_value=value)


def _make_workflow(workflow: WorkflowSpec, script_name: str | None = None) -> WorkflowBinding:
    return WorkflowBinding(
        name=workflow.binding,
        workflow_name=workflow.workflow_name,
        class_name=workflow.class_name,
        script_name=script_name,
    )


def _sort(bindings: Iterable[Binding]) -> tuple[Binding, ...]:
    return tuple(sorted(bindings, key=lambda binding: binding.name))
