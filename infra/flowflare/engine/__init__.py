"""Run a stack's Pulumi program: the embedded engine in this process, or the Pulumi CLI.

`contract` opens a stack on either: `embedded` runs the program itself, `pulumi_cli` drives the
CLI. Both report a run with the events of `values/events.py`, through `report`. The other modules
are for both: the API's address and token, configuration, and the secrets that a run must know.
"""

from flowflare.engine.contract import Stack, open_stack
from flowflare.state.lock import Lock
from flowflare.values.events import Change, Event, Failure, OnEvent, Plan, Step, Update

__all__ = [
    "Change",
    "Event",
    "Failure",
    "Lock",
    "OnEvent",
    "Plan",
    "Stack",
    "Step",
    "Update",
    "open_stack",
]
