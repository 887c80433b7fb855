"""Assess operations on a queue consumer: their effect on the messages of the queue."""

from collections.abc import Iterator

from flowflare.kinds.assessment import Reason, is_safe, loses_data, text_of
from flowflare.kinds.surroundings import Surroundings
from flowflare.values.events import Step


def assess(step: Step, around: Surroundings) -> Iterator[Reason]:
    """Yield the reasons for the risk of a step, in any order."""
    del around
    script = text_of(step.old, "scriptName")
    if step.op == "delete":
        yield is_safe(
            f"`{script}` no longer receives the queue's messages. They wait for another consumer, "
            "four days by default."
        )
    had, has = text_of(step.old, "deadLetterQueue"), text_of(step.new, "deadLetterQueue")
    if step.op in ("update", "replace") and had and not has:
        yield loses_data(
            "Messages that fail after their last retry are deleted: there is no dead-letter queue."
        )
