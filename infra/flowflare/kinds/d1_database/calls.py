"""The requests of a D1 database."""

from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes."""
    # The API only accepts the read replication afterwards, in its own request.
    made = 2 if "readReplication" in (step.new or {}) else 1
    return {"create": made, "replace": made + 1}.get(step.op, 1)
