"""Say why a step was refused or failed: as an error with a remedy, and as a failure."""

from flowflare.errors import ProtectedError
from flowflare.values.events import Failure, Step


def refuse_step(step: Step, what: str) -> ProtectedError:
    """Make the error of a step on a protected resource.

    Args:
        what: `deleted`, `destroyed` or `replaced`.
    """
    return ProtectedError(
        f"{step.name} ({step.type}) is protected and cannot be {what}: its data would be lost",
        remedy=_find_remedy(step.name, what),
    )


def make_failure(step: Step, error: Exception) -> Failure:
    """Make the failure of a step from its error."""
    reason = str(error) or type(error).__name__
    if isinstance(error, ProtectedError):
        return Failure(step.urn, step.name, step.type, reason, "protected")
    return Failure(step.urn, step.name, step.type, reason)


def _find_remedy(name: str, what: str) -> str | None:
    if what == "destroyed":
        return None  # `destroy` has one remedy for all of them
    reason = f"say why in flowflare:allowDataLoss: {{{name}: <reason>}}"
    if what == "replaced":
        return f"If this is intended, {reason} and run this again."
    # For a resource that the program no longer declares, only state says that it is protected.
    return (
        f"If this is intended, restore it in the program, {reason}, run flowflare up once to lift "
        "the protection, and then remove both."
    )
