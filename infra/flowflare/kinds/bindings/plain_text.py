"""Strings in a Worker's `env`."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.binding import Binding
from flowflare.kinds.bindings.contract import BindingType, WranglerVariable
from flowflare.model.written import WrittenAsInApi


class PlainTextBinding(WrittenAsInApi):
    """A string; `variables` are shorter."""

    type: Literal["plain_text"] = Field(description="A text.")
    text: str = Field(description="The text.")


class VariableBinding(Binding):
    """A plain-text variable."""

    text: str
    type: Literal["plain_text"] = "plain_text"


BINDING = BindingType(
    "plain_text", PlainTextBinding, wrangler=WranglerVariable("text"), word="variable"
)
