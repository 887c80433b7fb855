"""The option `--allow-unknown NAME=REASON`: what may stay unknown in a check, and why."""

from collections.abc import Collection, Mapping, Sequence

import typer


def read_allowed(given: Sequence[str], what: str) -> dict[str, str]:
    """Read the option's values.

    Args:
        given: the values, each `NAME=REASON`.
        what: what the part before `=` names, such as `STACK`.

    Returns:
        The reasons by name.
    """
    allowed: dict[str, str] = {}
    problems = []
    for word in given:
        name, _, reason = (part.strip() for part in word.partition("="))
        if not name or not reason:
            problems.append(f"{word!r} is not {what}=REASON")
        elif name in allowed:
            problems.append(f"{name} is named twice")
        allowed[name] = reason
    refuse_allowed(problems)
    return allowed


def refuse_unused(allowed: Mapping[str, str], unknown: Collection[str]) -> None:
    """Refuse names that match nothing: they would hide what becomes unknown later.

    Args:
        allowed: the reasons by name.
    """
    refuse_allowed(
        [f"nothing of {name} is unknown: remove it" for name in allowed if name not in unknown]
    )


def refuse_allowed(problems: Sequence[str]) -> None:
    """End with a usage error that lists the problems, if there are any."""
    if problems:
        raise typer.BadParameter("; ".join(problems), param_hint="'--allow-unknown'")
