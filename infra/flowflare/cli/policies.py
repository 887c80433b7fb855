"""Apply a stack's policies to a plan: print the findings, and stop an `up` on errors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.review.entries import Review
    from flowflare.review.policy.findings import PolicyFinding
    from flowflare.values.events import Plan

_KEY = "flowflare:policies"


def has_policies(project: "Project") -> bool:
    """Return whether the stack's configuration has policies."""
    return _KEY in project.values


def judge_plan(project: "Project", plan: "Plan", review: "Review") -> "Sequence[PolicyFinding]":
    """Return the findings of the stack's policies in a plan; none without policies.

    Raises:
        PolicyError: a policy file is invalid.
    """
    if not has_policies(project):
        return ()
    from flowflare.review.policy.judge import judge

    return judge(project, plan, review)


def check_policies(project: "Project", plan: "Plan") -> None:
    """Stop an `up` that violates a policy, before anything is sent.

    Raises:
        PolicyError: every error of a policy, or a policy file is invalid.
    """
    from flowflare.cli.console import print_message
    from flowflare.review.changes import review

    found = judge_plan(project, plan, review(plan)) if has_policies(project) else ()
    for finding in found:
        if not finding.stops:
            print_message(str(finding))
    refuse(found)


def refuse(found: "Sequence[PolicyFinding]") -> None:
    """Raise an error if any finding stops an `up`.

    Raises:
        PolicyError: every finding that stops an `up`.
    """
    from flowflare.review.policy.judge import stop_on_errors

    if found:
        stop_on_errors(found)


def print_findings(found: "Sequence[PolicyFinding]") -> None:
    """Print the findings of policies, in red if they stop `up`."""
    from flowflare.cli.console import print_result

    if found:
        print_result("Policies", style="bold")
    for finding in found:
        first, *rest = str(finding).splitlines()
        style = "bold red" if finding.stops else "yellow"
        print_result(f"  {'! ' if finding.stops else '  '}{first}", style=style)
        for line in rest:
            print_result(f"    {line}")
