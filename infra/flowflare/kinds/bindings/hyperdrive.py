"""Hyperdrive configurations."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import WrittenAsInApi


class HyperdriveBinding(WrittenAsInApi):
    """A Hyperdrive configuration."""

    type: Literal["hyperdrive"] = Field(description="A database behind Hyperdrive.")
    id: Text = Field(description="The configuration's id.")


BINDING = BindingType(
    "hyperdrive",
    HyperdriveBinding,
    wrangler=WranglerEntry("hyperdrive"),
    target="id",
    is_target_id=True,
)
