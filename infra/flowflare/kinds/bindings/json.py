"""JSON values in a Worker's `env`."""

from typing import Literal

from pydantic import Field, JsonValue

from flowflare.kinds.bindings.binding import Binding
from flowflare.kinds.bindings.contract import BindingType, WranglerVariable
from flowflare.model.written import Json, WrittenAsInApi


class JsonBinding(WrittenAsInApi):
    """A JSON value; `variables` are shorter."""

    type: Literal["json"] = Field(description="A JSON value, which the Worker gets parsed.")
    json_value: Json = Field(alias="json", description="The value.")


class JsonVariableBinding(Binding):
    """A JSON variable, which the Worker receives parsed."""

    json_value: JsonValue = Field(serialization_alias="json")
    type: Literal["json"] = "json"


BINDING = BindingType(
    "json", JsonBinding, wrangler=WranglerVariable("json"), word="variable", json_texts=("json",)
)
