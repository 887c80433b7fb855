"""Dispatch namespaces of Workers for Platforms."""

from typing import Any, Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType, Lookup, Text, WranglerEntry
from flowflare.model.written import ScriptName, WrittenAsInApi


class OutboundWorker(WrittenAsInApi):
    """The outbound Worker of dispatched Workers."""

    service: ScriptName = Field(description="The Worker's name.")
    environment: Text | None = Field(default=None, description="The Worker's environment.")


class Outbound(WrittenAsInApi):
    """The outbound Worker that handles the requests of dispatched Workers, and its parameters."""

    worker: OutboundWorker = Field(description="The outbound Worker.")
    params: list[Text] | None = Field(default=None, description="The names of its parameters.")


class DispatchNamespaceBinding(WrittenAsInApi):
    """A dispatch namespace of Workers for Platforms."""

    type: Literal["dispatch_namespace"] = Field(description="A dispatch namespace.")
    namespace: Text = Field(description="The namespace's name.")
    outbound: Outbound | None = Field(default=None, description="The outbound Worker, if any.")


def _flatten_outbound(entry: dict[str, Any]) -> dict[str, Any]:
    """Write the outbound Worker without `worker`, and `parameters` instead of `params`."""
    outbound = entry.get("outbound")
    if outbound is None:
        return entry
    given = {"parameters": outbound["params"]} if "params" in outbound else {}
    return {**entry, "outbound": {**outbound["worker"], **given}}


BINDING = BindingType(
    "dispatch_namespace",
    DispatchNamespaceBinding,
    wrangler=WranglerEntry("dispatch_namespaces", convert=_flatten_outbound),
    lookup=Lookup("namespace", "dispatch namespace", "workers/dispatch/namespaces/{}"),
)
