"""Compares a program with the state of each stack: what would an `up` from here do?

The program is the working tree's or that of a commit laid out elsewhere; the state is where the
stack's engine keeps it. Without a remote backend no network is needed, and no account is asked.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flowflare.engine.configuration import open_vault
from flowflare.engine.contract import read_state
from flowflare.engine.plan_over import plan_over
from flowflare.errors import FlowflareError
from flowflare.review.changes import review
from flowflare.review.entries import Review
from flowflare.review.recording_process import words_of
from flowflare.review.sections import Section, in_order
from flowflare.values.events import Plan

if TYPE_CHECKING:
    from flowflare.config.files import Project


def sections(
    root: Path,
    stacks: Sequence[str],
    *,
    checkout: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """What an `up` of each stack would do, stacks with the same change together.

    Args:
        root: the project's folder, beside which state and passphrase lie.
        stacks: the stacks.
        checkout: the project's folder in the commit that is laid out; the working tree's own
            program when left out.
        environ: the environment, by default this process's.

    Returns:
        The sections, riskiest first, and the stacks in which nothing changes, sorted.
    """
    from flowflare.config.files import read_project

    used = os.environ if environ is None else environ
    groups: dict[str, list[tuple[str, Review]]] = {}
    failed: dict[str, list[str]] = {}
    unchanged = []
    for stack in sorted(stacks):
        try:
            project = read_project(checkout or root, stack)
            found = review(plan_against(root, project, used), diff=True)
        except FlowflareError as error:
            failed.setdefault(str(error), []).append(stack)
            continue
        if found.changed or found.refusals:
            groups.setdefault(_key(found, project), []).append((stack, found))
        else:
            unchanged.append(stack)
    made = [
        Section.of([stack for stack, _ in members], "changed", members[0][1])
        for members in groups.values()
    ]
    made += [Section.unknown(names, error) for error, names in failed.items()]
    return in_order(made), tuple(unchanged)


def plan_against(root: Path, project: "Project", environ: Mapping[str, str]) -> Plan:
    """What an `up` of a program would do, by the stack's state.

    Args:
        root: the project's folder, beside which state and passphrase lie.
        project: the program's project, there or in a checkout.
        environ: the environment.

    Raises:
        FlowflareError: the state cannot be read, a secret cannot be opened, or the program failed.
    """
    deployment = read_state(replace(project, root=root), environ)
    vault = open_vault(project, environ, home=root)
    return plan_over(project, deployment, environ, vault=vault)


def _key(found: Review, project: "Project") -> str:
    """What is the same for stacks that differ in their names alone."""
    text = json.dumps(found.model_dump(mode="json", exclude={"outputs"}), sort_keys=True)
    for own, common in words_of(project).items():
        text = text.replace(own, common)
    return text
