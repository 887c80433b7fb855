"""Policies: checks of a stack that a team switches on, or writes as small Python functions.

A file of the team's own, named in `flowflare:policies: python`:

    from flowflare.review.policy import policy

    @policy("owner", severity="warning")
    def owner(stack):
        '''Every database says in its name whose it is.'''
        for one in stack.of_type("D1Database"):
            if not one.inputs["name"].startswith("shop-"):
                yield one.violation("its name begins with no owner", remedy="Begin it with shop-")

Names: `policy` declares, `Stack`, `Resource` and `Violation` are what functions get and yield.
"""

from flowflare.review.policy.declare import policy
from flowflare.review.policy.view import Resource, Stack, Violation

__all__ = ["Resource", "Stack", "Violation", "policy"]
