"""Whether a script has a workers.dev URL."""

from flowflare.kinds.contract import Kind, NotSupported

KIND = Kind(
    type="cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain",
    folder=__name__,
    apply="WorkersScriptSubdomain",
    risk=NotSupported("Whether a script answers at workers.dev says nothing of data."),
    calls="flowflare.kinds.one_request:count_calls",
    drift="compare",
    adopt="find",
    settings="SubdomainSettings",
    declare="declare_subdomain",
)
