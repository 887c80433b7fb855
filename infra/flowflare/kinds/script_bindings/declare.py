"""Register bindings that Cloudflare's own provider does not support."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from flowflare.kinds.script_bindings.apply import ScriptBindingsProvider
from flowflare.kinds.workers_script.declare import Upload


class ScriptBindings(Resource, module="flowflare", name="ScriptBindings"):
    """Bindings in the API's form, without secrets; the script inherits them."""

    def __init__(
        self,
        name: str,
        *,
        upload: Upload,
        bindings: Sequence[Mapping[str, Any]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(
            ScriptBindingsProvider(), name, {**upload, "bindings": list(bindings)}, opts
        )
