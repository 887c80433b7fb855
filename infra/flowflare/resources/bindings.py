"""Turns the model's bindings into what the ways of uploading take.

Cloudflare's provider refuses a type that it does not know and drops a field that it does not know.
Such a binding is uploaded by `ScriptBindings` (`resources/dynamic.py`), and the script that the
provider uploads keeps it: it says `inherit`.
"""

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from flowflare.kinds import cloudflare
from flowflare.model.bindings import (
    ApiKeyBinding,
    Binding,
    BoundBinding,
    ClassBinding,
    DatabaseBinding,
    OwnBinding,
    SecretBinding,
    ServiceBinding,
    to_wire,
)

#: The types that pulumi-cloudflare 6.23 takes; the list is in the description of its `type`.
PROVIDER_TYPES = frozenset(
    {
        "ai", "ai_search", "ai_search_namespace", "analytics_engine", "artifacts", "assets",
        "browser", "d1", "data_blob", "dispatch_namespace", "durable_object_namespace", "flagship",
        "hyperdrive", "images", "inherit", "json", "k2", "kv_namespace", "media", "messaging",
        "mtls_certificate", "pipelines", "plain_text", "queue", "r2_bucket", "ratelimit",
        "secret_key", "secret_text", "secrets_store_secret", "send_email", "service", "text_blob",
        "vectorize", "version_metadata", "vpc_network", "vpc_service", "wasm_module", "workflow",
    }
)  # fmt: skip
# The provider takes these as JSON text and sends what the text says.
_JSON_TEXTS = frozenset({"algorithm", "json"})


@dataclass(frozen=True)
class Values:
    """What bindings need and the model does not know.

    Attributes:
        databases: id of each database of the stack, by the binding's name.
        api_keys: the API key by its generation, secrets; None stands for the one in use.
        secrets: value of each secret, by the binding's name; of a binding's secret field, by the
            name of both, `KEY.key_base64`.
        service: the service's script, which only clients bind.
        own: ID of each resource that a binding makes, by the binding's name.
    """

    databases: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    api_keys: Mapping[int | None, pulumi.Input[str]] = field(default_factory=dict)
    secrets: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    service: pulumi.Input[str] | None = None
    own: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


def script_bindings(
    bindings: Iterable[Binding], values: Values
) -> list[cloudflare.WorkersScriptBindingArgs]:
    """The bindings as `WorkersScript` takes them; keys and secrets are secret."""
    return [_argument(binding, values) for binding in bindings]


def upload_bindings(bindings: Iterable[Binding], values: Values) -> list[dict[str, Any]]:
    """The bindings as the API takes them; there must be no secret among them."""
    return [_filled(binding, values) for binding in bindings]


def beyond_provider(bindings: Iterable[Binding]) -> Sequence[Binding]:
    """The bindings that Cloudflare's provider cannot say."""
    return [binding for binding in bindings if not _is_known(binding)]


def _is_known(binding: Binding) -> bool:
    if not isinstance(binding, BoundBinding):
        return True
    return binding.type in PROVIDER_TYPES and set(binding.fields) <= _arguments()


def _arguments() -> set[str]:
    return set(inspect.signature(cloudflare.WorkersScriptBindingArgs).parameters)


def _argument(binding: Binding, values: Values) -> cloudflare.WorkersScriptBindingArgs:
    if not _is_known(binding):
        return cloudflare.WorkersScriptBindingArgs(name=binding.name, type="inherit")
    filled = _filled(binding, values)
    for name in _JSON_TEXTS & set(filled):
        filled[name] = json.dumps(filled[name], sort_keys=True, separators=(",", ":"))
    return cloudflare.WorkersScriptBindingArgs(**filled)


def _filled(binding: Binding, values: Values) -> dict[str, Any]:
    return to_wire(binding) | _fill(binding, values)


def _fill(binding: Binding, values: Values) -> dict[str, Any]:  # noqa: PLR0911 -- one a type
    """The fields that the model does not know."""
    match binding:
        case OwnBinding(own=own) if own.is_bound_by_id:
            return {own.bound_by: values.own[own.binding]}
        case DatabaseBinding():
            return {"id": values.databases[binding.name]}
        case ApiKeyBinding():
            return {"text": pulumi.Output.secret(values.api_keys[binding.generation])}
        case SecretBinding():
            return {"text": pulumi.Output.secret(values.secrets[binding.name])}
        case BoundBinding():
            secrets = {name: values.secrets[f"{binding.name}.{name}"] for name in binding.secrets}
            return {name: pulumi.Output.secret(value) for name, value in secrets.items()}
        case ServiceBinding():
            return {"service": values.service}
        case ClassBinding(script_name=str()):
            return {"script_name": values.service}
    return {}
