"""D1 databases."""

from typing import Any, Literal

from pydantic import Field

from flowflare.kinds.bindings.binding import Binding, BindingValues
from flowflare.kinds.bindings.contract import BindingType, Lookup, Text, WranglerEntry
from flowflare.model.written import WrittenAsInApi


class D1Binding(WrittenAsInApi):
    """An existing D1 database; `databases` create new ones."""

    type: Literal["d1"] = Field(description="A D1 database.")
    id: Text = Field(description="The database's id.")


class DatabaseBinding(Binding):
    """A D1 database of the stack; its ID is filled in later."""

    type: Literal["d1"] = "d1"

    def fill(self, values: BindingValues) -> dict[str, Any]:
        """Return the database's ID."""
        return {"id": values.databases[self.name]}


BINDING = BindingType(
    "d1",
    D1Binding,
    wrangler=WranglerEntry("d1_databases", {"id": "database_id"}),
    lookup=Lookup("id", "D1 database", "d1/database/{}"),
)
