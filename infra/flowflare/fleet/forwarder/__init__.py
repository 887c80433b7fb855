"""One budget for the account: a loopback forwarder between everything that calls and Cloudflare.

The parts, in the order in which a call meets them: `address` says where it is sent, `app` takes
it, `turns` holds it back until the account's budget has a place for it, fair among the stacks,
`passing` sends it on and its answer back, `tally` counts it. `server` runs them in a thread, and
`connector` leads this package's own clients there.
"""

from flowflare.fleet.forwarder.address import CLOUDFLARE, environment, routed
from flowflare.fleet.forwarder.connector import ForwardedConnector
from flowflare.fleet.forwarder.limit import Limit
from flowflare.fleet.forwarder.server import Forwarder
from flowflare.fleet.forwarder.state import BudgetEvent, BudgetState, OnBudgetEvent
from flowflare.fleet.forwarder.tally import Count

__all__ = [
    "CLOUDFLARE",
    "BudgetEvent",
    "BudgetState",
    "Count",
    "ForwardedConnector",
    "Forwarder",
    "Limit",
    "OnBudgetEvent",
    "environment",
    "routed",
]
