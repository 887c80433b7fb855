"""The words for operations and risks, the same wherever a change is shown."""

from typing import Final

DONE: Final = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
}
MARKS: Final = {"create": "+", "update": "~", "replace": "±", "delete": "-", "same": " "}
RISK_WORDS: Final = {
    "loses-data": "Loses data",
    "unknown": "Unknown",
    "restarts": "Restarts Durable Objects",
    "safe": "Safe",
}
#: The same within a sentence.
RISKS_SAID: Final = {
    "loses-data": "loses data",
    "unknown": "unknown",
    "restarts": "restarts Durable Objects",
    "safe": "safe",
}
#: What happens to a section's stacks, beside their names.
KINDS: Final = {
    "changed": "",
    "added": "new",
    "removed": "goes",
    "head-alone": "shown as if new",
    "not-recorded": "not compared",
}

#: Why the risk of a whole section is unknown, by its kind.
NOT_COMPARED: Final = {
    "head-alone": "The base could not be recorded, so nobody knows what changes from there.",
    "not-recorded": "The head could not be recorded, so nobody knows what `up` would do.",
}


def short_type(type_token: str) -> str:
    """The last word of a type token, as people say it: `D1Database`."""
    return type_token.rpartition(":")[2]
