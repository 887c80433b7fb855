"""The requests of class migrations."""

from flowflare.kinds.durable_object_migrations.plan import steps_to_send
from flowflare.values.events import Step


def count_calls(step: Step) -> int:
    """Count the requests that a step takes."""
    if step.op == "delete":
        return 0  # the script's deletion deletes the classes
    steps = steps_to_send(step)
    if step.op == "update" and not steps:
        return 2  # the live script and its settings
    if step.op == "update":
        # The live script, its settings, the namespaces and the upload. For a deleted class also
        # the references to it, and reading and writing the script's own bindings.
        return 4 + (3 if any(sent.deleted_classes for sent in steps) else 0)
    # The live script and the upload; the namespaces if a class comes from another script.
    return 2 + any(bool(sent.transferred_classes) for sent in steps)
