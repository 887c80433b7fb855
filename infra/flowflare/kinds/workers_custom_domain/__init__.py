"""Custom domains: hostnames that a script serves."""

from flowflare.kinds.contract import Kind

KIND = Kind(
    type="cloudflare:index/workersCustomDomain:WorkersCustomDomain",
    folder=__name__,
    apply="WorkersCustomDomain",
    risk="assess",
    calls="flowflare.kinds.one_request:count_calls",
    drift="compare",
    adopt="find",
    settings="DomainSettings",
    declare="declare_domain",
    is_owned=True,
    wrangler="write",
)
