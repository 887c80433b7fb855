"""The requests of an upload of static assets."""

from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes if the files fit into one request."""
    if step.op == "delete":
        return 0  # the next upload of the script drops the files
    # Session, files, reading the script and its settings, script.
    return 4 if step.op in ("create", "replace") else 5
