"""Say why a step did not come about: as an error with a remedy, and as a failure of the run."""

from flowflare.errors import ProtectedError
from flowflare.values.events import Failure, Step


def refuse_step(step: Step, what: str) -> ProtectedError:
    """Make the error of a step on a protected resource.

    Args:
        step: the step.
        what: `deleted`, `destroyed` or `replaced`.
    """
    return ProtectedError(
        f"{step.name} ({step.type}) is protected and cannot be {what}: its data would be lost",
        remedy=_find_remedy(step.name, what),
    )


def make_failure(step: Step, error: Exception) -> Failure:
    """Make the failure that an error means for a step."""
    reason = str(error) or type(error).__name__
    if isinstance(error, ProtectedError):
        return Failure(step.urn, step.name, step.type, reason, "protected")
    return Failure(step.urn, step.name, step.type, reason)


def _find_remedy(name: str, what: str) -> str | None:
    if what == "destroyed":
        return None  # one command names all of them
    reason = f"say why in flowflare:allowDataLoss: {{{name}: <reason>}}"
    if what == "replaced":
        return f"If that is meant, {reason} and run this again."
    # Of what the program no longer declares, state alone says whether it is protected.
    return (
        f"If that is meant, put it back, {reason}, run flowflare up once to lift the protection, "
        "and then take out both."
    )
