"""The static assets of a client."""

from flowflare.kinds.contract import Kind

KIND = Kind(
    type="pulumi-python:dynamic/flowflare:ScriptAssets",
    folder=__name__,
    apply="ScriptAssetsProvider",
    risk="assess",
    calls="count_calls",
    drift="compare",
    adopt="find",
    settings="AssetsConfig",
    declare="ScriptAssets",
    told_by_the_script=(
        "compatibility",
        "config",
        "content",
        "directory",
        "files",
        "main_module",
        "manifest",
    ),
)
