"""Convert the model's bindings to the form that each way of uploading needs.

Cloudflare's provider refuses types and drops fields that it does not know. `ScriptBindings`
(`resources/dynamic.py`) uploads such a binding, and the script that the provider uploads keeps it
with `inherit`.
"""

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from flowflare.kinds import cloudflare
from flowflare.kinds.bindings.registry import find_binding_type
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


@dataclass(frozen=True)
class BindingValues:
    """Values that bindings need and the model does not contain.

    Attributes:
        databases: the ID of each database of the stack, by the binding's name.
        api_keys: the API keys by generation, as secrets; None is the key in use.
        secrets: the value of each secret, by the binding's name; for a secret field of a binding,
            by both names, `KEY.key_base64`.
        service: the service's script, which only clients bind.
        own: the ID of each resource that a binding makes, by the binding's name.
    """

    databases: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    api_keys: Mapping[int | None, pulumi.Input[str]] = field(default_factory=dict)
    secrets: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    service: pulumi.Input[str] | None = None
    own: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


def make_script_bindings(
    bindings: Iterable[Binding], values: BindingValues
) -> list[cloudflare.WorkersScriptBindingArgs]:
    """Convert bindings to the arguments of `WorkersScript`; keys and secrets are secret."""
    return [_make_argument(binding, values) for binding in bindings]


def make_upload_bindings(
    bindings: Iterable[Binding], values: BindingValues
) -> list[dict[str, Any]]:
    """Convert bindings to the API's form. They must not contain secrets."""
    return [_complete(binding, values) for binding in bindings]


def list_unsupported(bindings: Iterable[Binding]) -> Sequence[Binding]:
    """Select the bindings that Cloudflare's provider does not support."""
    return [binding for binding in bindings if not _is_known(binding)]


def _is_known(binding: Binding) -> bool:
    if not isinstance(binding, BoundBinding):
        return True
    is_known = find_binding_type(binding.type).is_in_provider
    return is_known and set(binding.fields) <= _list_arguments()


def _list_arguments() -> set[str]:
    return set(inspect.signature(cloudflare.WorkersScriptBindingArgs).parameters)


def _make_argument(binding: Binding, values: BindingValues) -> cloudflare.WorkersScriptBindingArgs:
    if not _is_known(binding):
        return cloudflare.WorkersScriptBindingArgs(name=binding.name, type="inherit")
    filled = _complete(binding, values)
    for name in find_binding_type(filled["type"]).json_texts:
        filled[name] = json.dumps(filled[name], sort_keys=True, separators=(",", ":"))
    return cloudflare.WorkersScriptBindingArgs(**filled)


def _complete(binding: Binding, values: BindingValues) -> dict[str, Any]:
    return to_wire(binding) | _fill(binding, values)


def _fill(binding: Binding, values: BindingValues) -> dict[str, Any]:  # noqa: PLR0911 -- one a type
    """Return the fields that the model does not contain."""
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
