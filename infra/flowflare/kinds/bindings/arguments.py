"""Convert the model's bindings to the form that each way of uploading needs.

Cloudflare's provider refuses types and drops fields that it does not know. `ScriptBindings` uploads
such a binding, and the script that the provider uploads keeps it with `inherit`.
"""

import inspect
import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from flowflare.kinds import cloudflare
from flowflare.kinds.bindings.binding import Binding, BindingValues, BoundBinding
from flowflare.kinds.bindings.registry import find_binding_type


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


@cache
def _list_arguments() -> frozenset[str]:
    return frozenset(inspect.signature(cloudflare.WorkersScriptBindingArgs).parameters)


def _make_argument(binding: Binding, values: BindingValues) -> cloudflare.WorkersScriptBindingArgs:
    if not _is_known(binding):
        return cloudflare.WorkersScriptBindingArgs(name=binding.name, type="inherit")
    filled = _complete(binding, values)
    for name in find_binding_type(filled["type"]).json_texts:
        filled[name] = json.dumps(filled[name], sort_keys=True, separators=(",", ":"))
    return cloudflare.WorkersScriptBindingArgs(**filled)


def _complete(binding: Binding, values: BindingValues) -> dict[str, Any]:
    return binding.to_wire() | binding.fill(values)
