"""Bindings that Cloudflare's provider cannot express."""

from flowflare.kinds.contract import Kind, NotSupported

KIND = Kind(
    type="pulumi-python:dynamic/flowflare:ScriptBindings",
    folder=__name__,
    apply="ScriptBindingsProvider",
    risk="assess",
    calls="count_calls",
    drift="flowflare.kinds.scene:compare_nothing",
    adopt="find",
    settings=NotSupported("`bindings` of a client are its settings."),
    declare="ScriptBindings",
)
