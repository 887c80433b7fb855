"""D1 databases."""

from flowflare.kinds.contract import Kind

KIND = Kind(
    type="cloudflare:index/d1Database:D1Database",
    folder=__name__,
    apply="D1Database",
    risk="assess",
    calls="count_calls",
    drift="compare",
    adopt="find",
    settings="DatabaseConfig",
    declare="declare_database",
    is_owned=True,
    holds_data=True,
    name_taken=7502,
)
