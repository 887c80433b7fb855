"""Check stacks by policies, which a team switches on or writes as small Python functions.

A file of the team, listed in `flowflare:policies: python`:

    from flowflare.review.policy import policy

    @policy("owner", severity="warning")
    def owner(stack):
            '''Every database's name begins with its owner.'''
            for database in stack.of_type("D1Database"):
                if not database.inputs["name"].startswith("shop-"):
                    yield database.violation("its name has no owner", remedy="Begin it with shop-")

`policy` declares a policy. A function receives a `Stack` and yields a `Violation` for each problem.
"""

from flowflare.policies.view import Resource, Stack, Violation
from flowflare.review.policy.declare import policy

__all__ = ["Resource", "Stack", "Violation", "policy"]
