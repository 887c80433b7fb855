"""Other Workers."""

from typing import Any, Literal

from pydantic import Field

from flowflare.kinds.bindings.binding import Binding, BindingValues
from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import Json, ScriptName, WrittenAsInApi


class ServiceTargetBinding(WrittenAsInApi):
    """Another Worker."""

    type: Literal["service"] = Field(description="A Worker.")
    service: ScriptName = Field(description="The Worker's name.")
    environment: Text | None = Field(default=None, description="Its environment.")
    entrypoint: Text | None = Field(
        default=None, description="The exported entrypoint; by default the default export."
    )
    props: dict[str, Json] | None = Field(
        default=None, description="The value of `ctx.props` in the entrypoint."
    )
    cross_account_grant: Text | None = Field(
        default=None, description="The grant of another account, if the Worker belongs to it."
    )


class ServiceBinding(Binding):
    """The stack's service."""

    service: str
    entrypoint: str | None = None
    type: Literal["service"] = "service"

    def fill(self, values: BindingValues) -> dict[str, Any]:
        """Return the service's script."""
        return {"service": values.service}


BINDING = BindingType("service", ServiceTargetBinding, wrangler=WranglerEntry("services"))
