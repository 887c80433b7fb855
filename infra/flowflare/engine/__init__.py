"""Run a stack's Pulumi program: the embedded engine in this process, or the Pulumi CLI.

`contract` opens a stack on either. The parts of the embedded engine, in the order in which a run
meets them: `stack` takes the lock; `stack_state` reads state and secrets; `program` runs the
program under the SDK; `monitor` turns its requests into `goal`s; `apply` carries out each goal:
it asks `plan` (pure) what to do and `providers` to do it; `ledger` keeps the state of the run and
writes it; `destroy` deletes resources that the program no longer declares. `recording` runs a
program without a stack, for comparisons, and `plan_over` runs it over a given state. `pulumi`
drives the Pulumi CLI. Both engines report a run with the events of `values/events.py`.
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
