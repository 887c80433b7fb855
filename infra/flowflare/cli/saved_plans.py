"""Save a plan for an approval, and check a saved plan before it is applied."""

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from flowflare.cli.stacks import make_plan, open_account
from flowflare.errors import FlowflareError, PlanError

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.engine.contract import Plan
    from flowflare.engine.plan_facts import CheckState, Digests, Facts
    from flowflare.review.document import PlanDocument
    from flowflare.state.checkpoint import Deployment, Resource
    from flowflare.values.events import OnEvent


def plan_with_facts(
    project: "Project",
    digests: "Digests",
    say: Callable[[str], None],
    on_event: "OnEvent | None" = None,
    *,
    reads_account: bool = False,
) -> "tuple[Plan, Facts]":
    """Plan what `up` would do, and digest what the plan depends on.

    Args:
        digests: computes the digests.
        say: called with a sentence before slow work.
        on_event: called with each planned step, and each message of the program.
        reads_account: whether the uploads of the deployed scripts are read.

    Raises:
        FlowflareError: the plan cannot be made, or the account cannot be read.
    """
    from flowflare.engine.plan_facts import read_facts, read_uploads

    seen: list[tuple[Deployment, Sequence[Resource]]] = []
    plan = make_plan(project, say, on_event, lambda *what: seen.append(what))
    state, declared = seen[-1]
    account = read_uploads(open_account(project), state) if reads_account else None
    return plan, read_facts(project, os.environ, state, declared, digests, account)


class PlanSaver:
    """Saves one plan of a stack.

    Raises:
        PlanError: the key of the plan's digests cannot be protected.
    """

    def __init__(self, project: "Project") -> None:
        from flowflare.engine.plan_facts import Digests
        from flowflare.engine.plan_key import make_key

        self._project = project
        key, self._key = make_key(project, os.environ)
        self._digests = Digests(key)
        self._facts: Facts | None = None

    def observe(self, deployment: "Deployment", declared: "Sequence[Resource]") -> None:
        """Record the inputs of the plan."""
        from flowflare.engine.plan_facts import read_facts, read_uploads

        account = None
        with contextlib.suppress(FlowflareError):  # such as without a token
            account = read_uploads(open_account(self._project), deployment)
        self._facts = read_facts(
            self._project, os.environ, deployment, declared, self._digests, account
        )

    def write(self, path: Path, document: "PlanDocument") -> str:
        """Write the plan to a file; return the file's digest, which an approval names."""
        from flowflare.review.saved_plan import make_saved_plan, write_plan

        assert self._facts is not None, "a plan is made before it is written"
        return write_plan(make_saved_plan(self._key, self._facts, document), path)


def check_saved_plan(project: "Project", path: Path, digest: str | None) -> "CheckState":
    """Check that `up` would still do what a saved plan says.

    Args:
        digest: the digest that was approved; None for any.

    Returns:
        A function that refuses a state that has changed since.

    Raises:
        PlanError: it is not the approved plan, or something has changed since it was made.
        PolicyError: a policy stops the plan.
    """
    from flowflare.cli.console import print_message
    from flowflare.cli.policies import check_policies
    from flowflare.engine.plan_facts import Digests
    from flowflare.engine.plan_key import open_key
    from flowflare.review.changes import review
    from flowflare.review.document import describe_plan
    from flowflare.review.saved_plan import list_moved, read_plan

    saved, found = read_plan(path, digest)
    saved.require_stack(project.name, project.stack)
    digests = Digests(open_key(saved.key, project, os.environ))
    reads_account = saved.facts.account is not None
    plan, facts = plan_with_facts(project, digests, print_message, reads_account=reads_account)
    document = describe_plan(review(plan), project=project.name, stack=project.stack)
    moved = list_moved(saved, facts, document)
    if moved:
        raise explain_moved(project, f"{path} was made at {saved.made} and", moved)
    check_policies(project, plan)
    print_message(f"Applying {path}, {found}")
    return hold_to(project, facts, digests)


def hold_to(project: "Project", facts: "Facts", digests: "Digests") -> "CheckState":
    """Return a function that refuses any state except the one that a plan is based on."""
    from flowflare.engine.plan_facts import digest_state
    from flowflare.review.saved_plan import compare_digests

    def check(deployment: "Deployment") -> None:
        moved = [
            f"state: {change}"
            for change in compare_digests(facts.state, digest_state(deployment, digests))
        ]
        if moved:
            raise explain_moved(project, "the plan", moved)

    return check


def explain_moved(project: "Project", what: str, moved: Sequence[str]) -> PlanError:
    """Make the error that `up` would no longer do what the plan says."""
    lines = "\n".join(f"  {change}" for change in moved)
    return PlanError(
        f"{what} is not what `up` would do now; nothing was changed:\n{lines}",
        remedy=f"Make a new plan: flowflare preview --stack {quote(project.stack)} --out plan.json",
    )
