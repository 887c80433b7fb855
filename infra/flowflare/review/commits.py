"""Makes the report of two commits: lays them out, records them, compares every stack."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from flowflare.config.files import stacks_of
from flowflare.errors import ConfigError, FlowflareError, Problem
from flowflare.render.packages import LEFT_OUT
from flowflare.review import report
from flowflare.review.checkout import (
    Checkout,
    CheckoutError,
    Commit,
    NoProjectError,
    Repository,
    find_repository,
    same_packages,
)
from flowflare.review.policy.commits import judge_commits
from flowflare.review.record import CommitRecording, record
from flowflare.review.report import Note, Report, ReportedCommit
from flowflare.review.report_text import names
from flowflare.review.sections import group


@dataclass(frozen=True)
class Question:
    """Which commits to compare, and what of them.

    Attributes:
        base: the commit to start from, by any name that git knows.
        head: the commit to come to.
        stacks: the stacks to look at; none for all.
        merge_base: whether to start from where head has parted from base, as pull requests do.
        allowed_unknown: stacks that may be unknown, each with the reason.
    """

    base: str
    head: str = "HEAD"
    stacks: Sequence[str] = ()
    merge_base: bool = True
    allowed_unknown: Mapping[str, str] = field(default_factory=dict)


def compare_commits(
    root: Path, question: Question, on_progress: Callable[[str], None] | None = None
) -> Report:
    """Reports what an `up` of every stack would do after one commit, done at another.

    Args:
        root: the project's folder in the working tree.
        question: the commits.
        on_progress: is told what is being done.

    Raises:
        CheckoutError: a commit is not there, or the folder is in no git repository.
        ConfigError: a stack that was named is in neither commit.
    """
    tell = on_progress or _nobody
    repository = find_repository(root)
    named = repository.commit(question.base)
    head = repository.commit(question.head)
    base = repository.merge_base(named, head) if question.merge_base else named
    notes = _notes(repository, named, base, head)
    # Of nothing secret: equal commits are to give equal stamps, and so equal reports.
    key = hashlib.sha256(f"{base.sha} {head.sha}".encode()).digest()
    with tempfile.TemporaryDirectory(prefix="flowflare-diff-") as folder:
        tell("Laying the commits out")
        before, after = _laid_out(repository, base, head, Path(folder).resolve())
        _check_stacks(question.stacks, before, after)
        there = [one for one in (before, after) if isinstance(one, Checkout)]
        sources = len(there) == 2 and not same_packages(*there)
        recorded = iter(
            record(
                there,
                question.stacks or None,
                key,
                sources=sources,
                on_progress=lambda count: tell(f"Recording: {count} done"),
            )
        )
        old, new = (
            next(recorded) if isinstance(one, Checkout) else _not_recorded(one)
            for one in (before, after)
        )
    tell("Comparing")
    sections, unchanged = group(old, new, key)
    if old.error and not new.error:
        text = f"The base cannot be recorded: {old.error}. HEAD is shown alone."
        if old.is_absent:
            text = f"The project is new: {old.error}. Every stack is shown as new."
        notes.append(Note(kind="base-not-recorded", text=text))
    notes += _packages(sources, old, new)
    notes += _not_read(old, new)
    allowed = question.allowed_unknown
    policy, weaker = judge_commits(old, new, sections, repository.date_of(head), allowed)
    return report.make(
        new.project or old.project,
        ReportedCommit(name=base.name, sha=base.sha, subject=base.subject),
        ReportedCommit(name=head.name, sha=head.sha, subject=head.subject),
        sections,
        unchanged,
        notes=[*notes, *weaker],
        policy=policy,
        allowed_unknown=allowed,
    )


def _nobody(text: str) -> None:
    """Whom nobody listens to."""
    del text


def _notes(repository: Repository, named: Commit, base: Commit, head: Commit) -> list[Note]:
    notes = []
    if base.sha != named.sha:
        text = f"Compared with {base.sha[:12]}, where {head.name} has parted from {named.name}."
        notes.append(Note(kind="merge-base", text=text))
    if head.name == "HEAD" and repository.uncommitted():
        text = "The working tree has changes that are not committed; they are not in this report."
        notes.append(Note(kind="uncommitted", text=text))
    return notes


def _packages(sources: bool, *recorded: CommitRecording) -> list[Note]:  # noqa: FBT001 -- private
    """What is said where Workers are shown without their npm packages."""
    if not any(LEFT_OUT in text for one in recorded for text in one.texts.values()):
        return []
    why = "the commits lock different ones" if sources else "not all of them are installed"
    text = (
        f"npm packages are not part of the code shown, since {why}: a Worker is shown by its own "
        "sources and by what its lock file says."
    )
    return [Note(kind="packages", text=text)]


def _not_recorded(error: CheckoutError) -> CommitRecording:
    is_absent = isinstance(error, NoProjectError) and error.is_absent
    return CommitRecording(error=error.message, is_absent=is_absent)


_WHERE: Final = {
    "environment": "The values of Pulumi ESC's `environment:`",
    "secretsprovider": "The secrets that `secretsprovider:` encrypts",
}


def _not_read(*recorded: CommitRecording) -> Iterator[Note]:
    """What is said where values of a stack are not in its files."""
    found: dict[str, set[str]] = {}
    for one in recorded:
        for stack, raw in one.stacks.items():
            for key, value in (raw.get("not_read") or {}).items():
                text = f"{_WHERE.get(key, key)} ({value}) are not read; stand-ins take their place"
                found.setdefault(text, set()).add(stack)
    for text, stacks in sorted(found.items()):
        yield Note(kind="not-read", text=f"{text} in {names(tuple(sorted(stacks)))}.")


def _laid_out(
    repository: Repository, base: Commit, head: Commit, folder: Path
) -> tuple[Checkout | CheckoutError, Checkout | CheckoutError]:
    """Both commits' files; for one that has no such project, why."""
    made: list[Checkout | CheckoutError] = []
    for name, commit in (("base", base), ("head", head)):
        try:
            made.append(repository.lay_out(commit, folder / name))
        except CheckoutError as error:
            made.append(error)
    return made[0], made[1]


def _check_stacks(wanted: Sequence[str], *checkouts: Checkout | CheckoutError) -> None:
    known: set[str] = set()
    for one in checkouts:
        try:
            known |= set(stacks_of(one.root)) if isinstance(one, Checkout) else set()
        except FlowflareError:
            return  # a Pulumi.yaml that cannot be read is told of by the recording
    remedy = f"Stacks there: {', '.join(sorted(known)) or 'none'}."
    problems = [
        Problem(f"Pulumi.{name}.yaml", "neither commit has it", remedy)
        for name in wanted
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)
