"""Workflows: names that are bound to a class of a script."""

from flowflare.kinds.contract import Kind

KIND = Kind(
    type="cloudflare:index/workflow:Workflow",
    folder=__name__,
    apply="Workflow",
    risk="assess",
    calls="flowflare.kinds.one_request:count_calls",
    drift="compare",
    adopt="find",
    settings="WorkflowConfig",
    declare="declare_workflow",
    is_owned=True,
)
