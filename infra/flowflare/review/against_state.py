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

from flowflare.engine.configuration import open_configuration
from flowflare.engine.pulumi.recorded import RecordedStack
from flowflare.engine.pulumi.state import (
    backend_url,
    from_export,
    read_deployment,
)
from flowflare.engine.stack import _Opened
from flowflare.errors import FlowflareError
from flowflare.review.changes import review
from flowflare.review.entries import Review
from flowflare.review.recording_process import words_of
from flowflare.review.sections import Section, in_order
from flowflare.state.backends.folder import local_folder
from flowflare.state.checkpoint import Deployment
from flowflare.state.location import backend_of
from flowflare.state.passphrase import Vault, find_passphrase
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
    return _Elsewhere(root, project, deployment, environ=environ).preview()


def read_state(
    project: "Project", environ: Mapping[str, str], *, opened: bool = True
) -> Deployment:
    """A stack's state, wherever its engine keeps it; its secrets stay sealed until looked at.

    Args:
        project: the project seen through the stack.
        environ: the environment.
        opened: whether the Pulumi CLI must open the secrets of a state that it exports. If not,
            they stay sealed where it cannot: it opens all of them or none.

    Raises:
        FlowflareError: it cannot be read, or only by the Pulumi CLI, which is not installed.
    """
    engine = project.values.get("flowflare:engine")
    if engine is not None and engine.text == "embedded":
        backend = backend_of(project.root, project.name, project.stack, environ)
        raw = backend.load()
        passphrase = find_passphrase(project.root / ".flowflare", environ, make=False)
        return backend.read(raw, Vault(passphrase, backend.salt(raw)))
    if local_folder(backend_url(project.root, environ), environ) is not None:
        return read_deployment(project, environ)
    from flowflare.engine.pulumi.stack import CliStack

    stack = CliStack(project, environ=environ)
    try:
        return stack.read()
    except FlowflareError:
        if opened:
            raise
        return from_export(stack.export())


class _Elsewhere(RecordedStack):
    """A stack whose program may lie in a checkout; passphrase and state lie in the project.

    Args:
        home: the project's folder.
        project: the program's project.
        deployment: its state.
        environ: the environment.
    """

    def __init__(
        self,
        home: Path,
        project: "Project",
        deployment: Deployment,
        *,
        environ: Mapping[str, str],
    ) -> None:
        super().__init__(project, deployment, environ=environ)
        self._home = home

    def _open(self, *, check: bool = False) -> _Opened:
        del check
        passphrase = find_passphrase(self._home / ".flowflare", self._environ, make=False)
        salt = self.project.encryption_salt
        place = self.project.salt_place if salt else ""
        vault = Vault(passphrase, salt or self._deployment.salt, place)
        config = open_configuration(self.project, vault)
        project = self.project
        backend = backend_of(self._home, project.name, project.stack, self._environ)
        return _Opened(backend, self._deployment, vault, config)


def _key(found: Review, project: "Project") -> str:
    """What is the same for stacks that differ in their names alone."""
    text = json.dumps(found.model_dump(mode="json", exclude={"outputs"}), sort_keys=True)
    for own, common in words_of(project).items():
        text = text.replace(own, common)
    return text
