"""Compare a program with the state of each stack: what would `up` do now?

The program is the working tree's, or that of a commit in a checkout. The state is in the stack's
backend. No account is read, and only a remote backend is reached over the network.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flowflare.config.engine import engine_of
from flowflare.engine.configuration import open_vault
from flowflare.engine.contract import read_state
from flowflare.engine.embedded.plan_over import plan_over
from flowflare.errors import EngineError, FlowflareError
from flowflare.review.changes import review
from flowflare.review.checkout import find_repository
from flowflare.review.entries import Review
from flowflare.review.grouping import sort_sections
from flowflare.review.recording_process import list_own_words
from flowflare.review.report import Note, Report, ReportedCommit, make_report
from flowflare.review.sections import Section
from flowflare.values.events import Plan

if TYPE_CHECKING:
    from flowflare.config.files import Project, ProjectFile


def report_against_state(
    root: Path,
    stacks: Sequence[str],
    allowed_unknown: Mapping[str, str],
) -> Report:
    """Report what `up` of the working tree would do with every stack as it is deployed.

    Args:
        stacks: the stacks; empty for all that have a file.
        allowed_unknown: stacks whose result may be unknown, each with the reason.

    Raises:
        ConfigError: `Pulumi.yaml` cannot be read, or a stack has no file.
        CheckoutError: the folder is not in a git repository.
    """
    from flowflare.config.files import read_project_file

    project, repository = read_project_file(root), find_repository(root)
    for stack in stacks:
        project.read_stack_file(stack)
    head = repository.find_commit("HEAD")
    # Files that are not committed have no hash; a comment is only posted for one.
    sha = "" if repository.has_uncommitted_changes() else head.sha
    sections, unchanged = compare_with_state(root, stacks or project.list_stacks())
    return make_report(
        project.name,
        None,
        ReportedCommit(
            name="the working tree" if not sha else "HEAD", sha=sha, subject=head.subject
        ),
        sections,
        unchanged,
        notes=[
            Note(kind="other", text="Compared with what is deployed; policies are not checked.")
        ],
        allowed_unknown=allowed_unknown,
    )


def compare_with_state(
    root: Path,
    stacks: Sequence[str],
    *,
    checkout: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """Plan `up` for each stack, and group the stacks that change in the same way.

    Args:
        root: the project's folder, which also has the state and the passphrase.
        checkout: the project's folder in a checkout of a commit; by default the working tree's
            program is used.
        environ: the environment, by default this process's.

    Returns:
        The sections, riskiest first, and the stacks in which nothing changes, sorted.
    """
    from flowflare.config.files import read_project_file

    used = os.environ if environ is None else environ
    groups: dict[str, list[tuple[str, Review]]] = {}
    failed: dict[str, list[str]] = {}
    unchanged = []
    program: ProjectFile | None = None
    working: ProjectFile | None = None
    for stack in sorted(stacks):
        try:
            program = program or read_project_file(checkout or root, check=False)
            project = program.read_stack(stack)
            _check_environment(project)
            if checkout is not None:
                working = working or read_project_file(root, check=False)
            found = review(plan_against(working or program, project, used), diff=True)
        except FlowflareError as error:
            failed.setdefault(str(error), []).append(stack)
            continue
        if found.changed or found.refusals:
            groups.setdefault(_make_key(found, project), []).append((stack, found))
        else:
            unchanged.append(stack)
    made = [
        Section.of([stack for stack, _ in members], "changed", members[0][1])
        for members in groups.values()
    ]
    made += [Section.unknown(names, error) for error, names in failed.items()]
    return sort_sections(made), tuple(unchanged)


def _check_environment(project: "Project") -> None:
    """Refuse a stack whose configuration is partly in Pulumi ESC, which a plan does not read."""
    key = project.cli_key("environment")
    if key is not None and engine_of(project).needs_cli:
        raise EngineError(
            f"{project.stack_file.name}: the values of `environment:` ({key.value}) are not read, "
            "so it is unknown what `up` would change",
            remedy=f"Run `pulumi preview --stack {project.stack}`, which reads them.",
        )


def plan_against(working: "ProjectFile", project: "Project", environ: Mapping[str, str]) -> Plan:
    """Plan what `up` would do with a program, compared with the stack's state.

    Args:
        working: the project of the working tree, whose folder also has the state and the
            passphrase.
        project: the program's project, in that folder or in a checkout.

    Raises:
        FlowflareError: the state cannot be read, a secret cannot be decrypted, or the program
            failed.
    """
    of_state = replace(working, name=project.name)
    deployment = read_state(replace(project, shared=of_state), environ)
    vault = open_vault(project, environ, home=working.root)
    return plan_over(project, deployment, environ, vault=vault)


def _make_key(found: Review, project: "Project") -> str:
    """Return a key that is equal for stacks whose reviews differ only in the stacks' names."""
    text = json.dumps(found.model_dump(mode="json", exclude={"outputs"}), sort_keys=True)
    for own, common in list_own_words(project).items():
        text = text.replace(own, common)
    return text
