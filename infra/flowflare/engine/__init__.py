"""The embedded engine: runs Pulumi programs in this process, on state that the Pulumi CLI shares.

The parts, in the order in which a run meets them: `stack` opens state and secrets and takes the
lock; `program` runs the program under the SDK; `monitor` turns its requests into `goal`s;
`apply` brings each to pass, asking `plan` (pure) what to do and `providers` to do it; `ledger`
keeps the state of the run and writes it; `destroy` deletes what is no longer wanted; `recording`
runs a program without a stack, for comparisons; `pulumi` is the other engine: it drives the Pulumi
CLI and answers in the same words. Whoever watches a run sees `values/events.py`.
"""

from flowflare.engine.stack import EmbeddedStack, open_stack
from flowflare.state.lock import Lock
from flowflare.values.events import Change, Event, Failure, OnEvent, Plan, Step, Update

__all__ = [
    "Change",
    "EmbeddedStack",
    "Event",
    "Failure",
    "Lock",
    "OnEvent",
    "Plan",
    "Step",
    "Update",
    "open_stack",
]
