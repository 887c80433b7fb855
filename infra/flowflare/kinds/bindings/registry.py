"""The list of all binding types. Other code iterates this list, and does not name types."""

from collections.abc import Mapping
from typing import Final

from flowflare.kinds.bindings import (
    compact,
    d1,
    dispatch_namespace,
    durable_object_namespace,
    hyperdrive,
    inherit,
    json,
    kv_namespace,
    plain_text,
    queue,
    r2_bucket,
    ratelimit,
    secret_key,
    secret_text,
    service,
    tail_consumer,
    workflow,
)
from flowflare.kinds.bindings.contract import BindingType
from flowflare.model.written import Written

#: By the API's name, in the order of the JSON Schema.
BINDING_TYPES: Final[Mapping[str, BindingType]] = {
    binding.name: binding
    for binding in (
        plain_text.BINDING, json.BINDING, secret_text.BINDING, secret_key.BINDING,
        compact.SECRETS_STORE_SECRET, d1.BINDING, kv_namespace.BINDING, r2_bucket.BINDING,
        queue.BINDING, durable_object_namespace.BINDING, workflow.BINDING, service.BINDING,
        compact.ANALYTICS_ENGINE, ratelimit.BINDING, hyperdrive.BINDING, compact.VECTORIZE,
        dispatch_namespace.BINDING, compact.MTLS_CERTIFICATE, tail_consumer.BINDING,
        inherit.BINDING, *compact.WITHOUT_FIELDS, compact.ASSETS, *compact.UNCHECKED,
    )
}  # fmt: skip
#: The schema of each type whose fields are checked.
BINDING_SCHEMAS: Final[Mapping[str, type[Written]]] = {
    name: binding.schema for name, binding in BINDING_TYPES.items() if binding.schema is not None
}


def find_binding_type(name: str) -> BindingType:
    """Find a type; a type that is not listed has no form of its own."""
    return BINDING_TYPES.get(name) or BindingType(name, is_in_provider=False)
