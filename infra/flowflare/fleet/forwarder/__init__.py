"""Keep all calls of a run within the account's rate limit, with a forwarder on loopback.

A call passes these parts in order: `address` builds and reads its URL, `app` receives it, `turns`
queues it until the budget allows it, fairly among the stacks, `tally` counts it, and `passing`
forwards it and returns the response. `server` runs them in a thread. `connector` makes this
package's own clients use the forwarder.
"""
