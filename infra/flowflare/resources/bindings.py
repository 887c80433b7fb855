"""Turns the model's bindings into what the two ways of uploading take."""

from collections.abc import Iterable
from typing import Any

import pulumi

from flowflare.model.bindings import ApiKeyBinding, Binding, DatabaseBinding
from flowflare.resources import cloudflare


def script_bindings(
    bindings: Iterable[Binding], *, database_id: pulumi.Input[str], api_key: pulumi.Output[str]
) -> list[Any]:
    """The bindings as `WorkersScript` takes them; the key's text is a secret."""
    secret: pulumi.Output[str] = pulumi.Output.secret(api_key)
    return [
        cloudflare.WorkersScriptBindingArgs(**_filled(binding, database_id, secret))
        for binding in bindings
    ]


def upload_bindings(
    bindings: Iterable[Binding], *, database_id: pulumi.Input[str]
) -> list[dict[str, Any]]:
    """The bindings as the API takes them; there is no secret among them."""
    return [_filled(binding, database_id, None) for binding in bindings]


def _filled(
    binding: Binding, database_id: pulumi.Input[str], api_key: pulumi.Output[str] | None
) -> dict[str, Any]:
    values: dict[str, Any] = binding.model_dump(exclude_none=True)
    if isinstance(binding, DatabaseBinding):
        values["id"] = database_id
    if isinstance(binding, ApiKeyBinding):
        values["text"] = api_key
    return values
