"""Durable Object classes."""

from typing import Any, Literal

from pydantic import Field

from flowflare.kinds.bindings.binding import Binding, BindingValues
from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import ClassName, ScriptName, WrittenAsInApi


class DurableObjectBinding(WrittenAsInApi):
    """A Durable Object class of another script; see `durableObjects` for the client's own."""

    type: Literal["durable_object_namespace"] = Field(description="A Durable Object class.")
    class_name: ClassName = Field(description="The class.")
    script_name: ScriptName = Field(description="The script that has the class.")
    environment: Text | None = Field(default=None, description="The script's environment.")


class ClassBinding(Binding):
    """A Durable Object class of the script itself or of another script."""

    class_name: str
    script_name: str | None = None
    type: Literal["durable_object_namespace"] = "durable_object_namespace"

    def fill(self, values: BindingValues) -> dict[str, Any]:
        """Return the service's script, if it has the class."""
        return {} if self.script_name is None else {"script_name": values.service}


BINDING = BindingType(
    "durable_object_namespace",
    DurableObjectBinding,
    wrangler=WranglerEntry("durable_objects", name="name", below="bindings"),
    # All class migrations run first and create their scripts, so these bindings do not wait.
    script_fields=(),
    class_field="class_name",
)
