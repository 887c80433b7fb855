"""The workers.dev URL of a script."""

from flowflare.kinds.contract import Kind, NotSupported

KIND = Kind(
    type="pulumi-python:dynamic/flowflare:WorkersDevUrl",
    folder=__name__,
    apply="WorkersDevUrlProvider",
    risk=NotSupported("A URL holds no data."),
    calls="count_calls",
    drift="flowflare.kinds.scene:compare_nothing",
    adopt="find",
    settings=NotSupported("A Worker with `workersDev` has it too."),
    declare="WorkersDevUrl",
)
