"""D1 databases."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import Written


class D1Binding(Written):
    """An existing D1 database; `databases` create new ones."""

    type: Literal["d1"] = Field(description="A D1 database.")
    id: Text = Field(description="The database's id.")


BINDING = BindingType(
    "d1", D1Binding, wrangler=WranglerEntry("d1_databases", {"id": "database_id"})
)
