"""A binding of a script, and the values that only Cloudflare or a secret's source knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, JsonValue

from flowflare.model.frozen import Frozen
from flowflare.model.secret_sources import SecretSource


@dataclass(frozen=True)
class BindingValues:
    """Values that bindings need and the model does not contain, some of which are outputs.

    Attributes:
        databases: the ID of each database of the stack, by the binding's name.
        api_keys: the API keys by generation, as secrets; None is the key in use.
        secrets: the value of each secret, by the binding's name; for a secret field of a binding,
            by both names, `KEY.key_base64`.
        service: the service's script, which only clients bind.
        own: the ID of each resource that a binding makes, by the binding's name.
    """

    databases: Mapping[str, Any] = field(default_factory=dict)
    api_keys: Mapping[int | None, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)
    service: Any = None
    own: Mapping[str, Any] = field(default_factory=dict)


class Binding(Frozen):
    """A binding of a script."""

    name: str

    def to_wire(self) -> dict[str, Any]:
        """Return the API's form, without values that are filled in later."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def fill(self, values: BindingValues) -> dict[str, Any]:
        """Return the fields that the model does not contain."""
        del values
        return {}


class BoundBinding(Binding):
    """A resource of any type outside of the stack; its secret fields are filled in later."""

    type: str
    fields: Mapping[str, JsonValue]
    secrets: Mapping[str, SecretSource] = Field(exclude=True)

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as they are written."""
        return {"name": self.name, "type": self.type, **self.fields}

    def fill(self, values: BindingValues) -> dict[str, Any]:
        """Return the secret fields."""
        return {name: values.secrets[f"{self.name}.{name}"] for name in self.secrets}
