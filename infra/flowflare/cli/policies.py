"""What the commands do about policies: judge a plan, print what was found, stop an `up`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.review.entries import Review
    from flowflare.review.policy.findings import PolicyFinding
    from flowflare.values.events import Plan

_KEY = "flowflare:policies"


def has_policies(project: "Project") -> bool:
    """Whether the stack's configuration has policies."""
    return _KEY in project.values


def judged(project: "Project", plan: "Plan", review: "Review") -> "Sequence[PolicyFinding]":
    """What the stack's policies find in a plan; nothing where none are switched on.

    Raises:
        PolicyError: a file with policies cannot be used.
    """
    if not has_policies(project):
        return ()
    from datetime import UTC, datetime

    from flowflare.review.policy.judge import judge

    return judge(project, plan, review, datetime.now(UTC).date())


def check_policies(project: "Project", plan: "Plan") -> None:
    """Stops an `up` that a policy's error stands against, before anything is sent.

    Raises:
        PolicyError: every such finding, or a file with policies that cannot be used.
    """
    from flowflare.cli.console import messages
    from flowflare.review.changes import review

    found = judged(project, plan, review(plan)) if has_policies(project) else ()
    for one in found:
        if not one.stops:
            messages().print(str(one), markup=False)
    refuse(found)


def refuse(found: "Sequence[PolicyFinding]") -> None:
    """Raises for the findings that stop an `up`.

    Raises:
        PolicyError: every such finding.
    """
    from flowflare.review.policy.judge import stop_on_errors as refused

    if found:
        refused(found)


def print_findings(found: "Sequence[PolicyFinding]") -> None:
    """Prints what policies have found, what stops `up` in red."""
    from flowflare.cli.console import answers

    if found:
        answers().print("Policies", style="bold", markup=False)
    for one in found:
        first, *rest = str(one).splitlines()
        style = "bold red" if one.stops else "yellow"
        answers().print(f"  {'! ' if one.stops else '  '}{first}", style=style, markup=False)
        for line in rest:
            answers().print(f"    {line}", markup=False)
