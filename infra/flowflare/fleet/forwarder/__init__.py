"""Keep all calls of a run within the account's rate limit, with a forwarder on loopback.

A call passes these parts in order: `address` builds and reads its URL, `app` receives it, `turns`
queues it until the budget allows it, fairly among the stacks, `tally` counts it, and `passing`
forwards it and returns the response. `server` runs them in a thread. `connector` makes this
package's own clients use the forwarder.
"""

from flowflare.fleet.forwarder.address import CLOUDFLARE, make_environ, make_url
from flowflare.fleet.forwarder.connector import ForwardedConnector
from flowflare.fleet.forwarder.limit import CallLimit
from flowflare.fleet.forwarder.server import Forwarder
from flowflare.fleet.forwarder.state import BudgetEvent, BudgetState, OnBudgetEvent
from flowflare.fleet.forwarder.tally import Count

__all__ = [
    "CLOUDFLARE",
    "BudgetEvent",
    "BudgetState",
    "CallLimit",
    "Count",
    "ForwardedConnector",
    "Forwarder",
    "OnBudgetEvent",
    "make_environ",
    "make_url",
]
