"""Define the words for operations and risks, which are the same in every report."""

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
    "changes-replays": "Changes Workflow replays",
    "restarts": "Restarts Durable Objects",
    "safe": "Safe",
}
#: The same words within a sentence.
RISKS_IN_SENTENCES: Final = {
    "loses-data": "loses data",
    "unknown": "unknown",
    "changes-replays": "changes Workflow replays",
    "restarts": "restarts Durable Objects",
    "safe": "safe",
}
#: What happens to a section's stacks, shown beside their names.
KINDS: Final = {
    "changed": "",
    "added": "new",
    "removed": "file removed",
    "head-alone": "shown as new",
    "not-recorded": "not compared",
}

#: Why the risk of a whole section is unknown, by the section's kind.
NOT_COMPARED: Final = {
    "head-alone": "The base could not be recorded, so it is unknown what changes.",
    "not-recorded": "The head could not be recorded, so it is unknown what `up` would do.",
}


def shorten_type(type_token: str) -> str:
    """Return the last part of a type token: `D1Database`."""
    return type_token.rpartition(":")[2]
