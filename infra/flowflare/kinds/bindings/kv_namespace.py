"""KV namespaces."""

from typing import Literal

from pydantic import Field

from flowflare.kinds.bindings.contract import BindingType, Text, WranglerEntry
from flowflare.model.written import WrittenAsInApi


class KvNamespaceBinding(WrittenAsInApi):
    """A KV namespace."""

    type: Literal["kv_namespace"] = Field(description="A KV namespace.")
    namespace_id: Text = Field(description="The namespace's id.")


BINDING = BindingType(
    "kv_namespace",
    KvNamespaceBinding,
    wrangler=WranglerEntry("kv_namespaces", {"namespace_id": "id"}),
    target="namespace_id",
    is_target_id=True,
)
