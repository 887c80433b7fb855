"""Other Workers."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import Json, ScriptName, Written


class ServiceTargetBinding(Written):
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


BINDING = BindingType("service", ServiceTargetBinding, wrangler=WranglerEntry("services"))
