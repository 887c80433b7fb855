"""What an operation on an API key means for its callers."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, is_safe
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """The sentences about a step, in any order."""
    if step.op in ("replace", "delete"):
        yield is_safe("Whoever still calls the service with this key is refused.")
    if step.op == "delete" and around.another_key:
        yield is_safe(
            "Another key begins in this same `up`: until each client has it, its calls are "
            "refused. Nobody is interrupted by: flowflare secrets rotate"
        )
