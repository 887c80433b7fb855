"""Tail Workers as bindings."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType
from flowflare.model.written import ScriptName, WrittenAsInApi


class TailConsumerBinding(WrittenAsInApi):
    """A Tail Worker as a binding."""

    type: Literal["tail_consumer"] = Field(description="A Tail Worker.")
    service: ScriptName = Field(description="The Tail Worker's name.")


BINDING = BindingType("tail_consumer", TailConsumerBinding, is_in_provider=False)
