"""Worker scripts."""

from flowflare.kinds.contract import Kind

KIND = Kind(
    type="cloudflare:index/workersScript:WorkersScript",
    folder=__name__,
    apply="WorkersScript",
    risk="assess",
    calls="flowflare.kinds.one_request:count_calls",
    drift="compare",
    adopt="find",
    settings="ScriptSettings",
    declare="declare_script",
    is_owned=True,
    details="flowflare.kinds.workers_script.plan:describe",
    has_modules=True,
    holds_data=True,
)
