"""Bindings of an earlier version that are kept."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType, Text
from flowflare.model.written import WrittenAsInApi


class InheritBinding(WrittenAsInApi):
    """A binding of an earlier version, kept; for bindings that were made outside of this stack."""

    type: Literal["inherit"] = Field(description="The live script's binding of the same name.")
    old_name: Text | None = Field(default=None, description="The binding's present name.")
    version_id: Text | None = Field(default=None, description="The version with the binding.")


BINDING = BindingType("inherit", InheritBinding)
