"""Make the report of two commits: check both out, record their stacks, and compare each stack."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from flowflare.config.files import read_project_file
from flowflare.errors import ConfigError, FlowflareError, Problem
from flowflare.render.packages import LEFT_OUT
from flowflare.review import report
from flowflare.review.checkout import (
    Checkout,
    Commit,
    NoProjectError,
    Repository,
    find_repository,
)
from flowflare.review.git import CheckoutError
from flowflare.review.grouping import SUBMODULE, group_stacks
from flowflare.review.locked_packages import PackageInstaller
from flowflare.review.policy.commits import judge_commits
from flowflare.review.record import CommitRecording, record_commits
from flowflare.review.report import Note, Report, ReportedCommit
from flowflare.review.report_text import list_names


@dataclass(frozen=True)
class CommitQuery:
    """The commits and stacks to compare.

    Attributes:
        base: the commit to start from, by any name that git accepts.
        head: the commit to compare with it.
        stacks: the stacks to compare; empty for all.
        merge_base: whether to start from the merge base of both, as pull requests do.
        allowed_unknown: stacks whose result may be unknown, each with the reason.
    """

    base: str
    head: str = "HEAD"
    stacks: Sequence[str] = ()
    merge_base: bool = True
    allowed_unknown: Mapping[str, str] = field(default_factory=dict)


def compare_commits(
    root: Path,
    question: CommitQuery,
    on_progress: Callable[[str], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Report:
    """Report what `up` would do with every stack at one commit, after an `up` at another.

    Args:
        root: the project's folder in the working tree.
        on_progress: receives a description of the current step.
        on_warning: receives a warning if the programs of the commits cannot be isolated.

    Raises:
        CheckoutError: a commit does not exist, or the folder is not in a git repository.
        ConfigError: neither commit has one of the requested stacks.
    """
    report_progress = on_progress or _ignore
    repository = find_repository(root)
    named = repository.find_commit(question.base)
    head = repository.find_commit(question.head)
    base = repository.find_merge_base(named, head) if question.merge_base else named
    notes = _make_notes(repository, named, base, head)
    # Not a secret key: equal commits must give equal stamps, and so equal reports.
    key = hashlib.sha256(f"{base.sha} {head.sha}".encode()).digest()
    with tempfile.TemporaryDirectory(prefix="flowflare-diff-") as folder:
        report_progress("Checking out the commits")
        before, after = _check_out(repository, base, head, Path(folder).resolve())
        _check_stacks(question.stacks, before, after)
        checkouts = [result for result in (before, after) if isinstance(result, Checkout)]
        packages = PackageInstaller(report_progress)
        for checkout in checkouts:
            packages.install(checkout.top)
        recorded = iter(
            record_commits(
                checkouts,
                question.stacks or None,
                key,
                sources=bool(packages.failures),
                installed=sorted(packages.installed),
                on_progress=lambda count: report_progress(f"Recording: {count} stacks done"),
                on_warning=on_warning,
            )
        )
        old, new = (
            _add_unread(next(recorded), result.unread)
            if isinstance(result, Checkout)
            else _make_failure(result)
            for result in (before, after)
        )
    report_progress("Comparing")
    sections, unchanged = group_stacks(old, new, key)
    if old.error and not new.error:
        text = f"The base cannot be recorded: {old.error}. Only HEAD is shown."
        if old.is_absent:
            text = f"The project is new: {old.error}. Every stack is shown as new."
        notes.append(Note(kind="base-not-recorded", text=text))
    notes += _note_packages(packages.failures, old, new)
    notes += _note_unread_values(old, new)
    allowed = question.allowed_unknown
    policy, weaker = judge_commits(old, new, sections, repository.read_date(head), allowed)
    return report.make_report(
        new.project or old.project,
        ReportedCommit(name=base.name, sha=base.sha, subject=base.subject),
        ReportedCommit(name=head.name, sha=head.sha, subject=head.subject),
        sections,
        unchanged,
        notes=[*notes, *weaker],
        policy=policy,
        allowed_unknown=allowed,
    )


def _ignore(_text: str) -> None:
    """Ignore the progress if the caller does not want it."""


def _make_notes(repository: Repository, named: Commit, base: Commit, head: Commit) -> list[Note]:
    notes = []
    if base.sha != named.sha:
        text = f"Compared with {base.sha[:12]}, the merge base of {named.name} and {head.name}."
        notes.append(Note(kind="merge-base", text=text))
    if head.name == "HEAD" and repository.has_uncommitted_changes():
        text = "The working tree has uncommitted changes, which are not in this report."
        notes.append(Note(kind="uncommitted", text=text))
    return notes


def _note_packages(failures: Mapping[str, str], *recorded: CommitRecording) -> list[Note]:
    """Explain why Workers are shown without their npm packages."""
    if not any(LEFT_OUT in text for commit in recorded for text in commit.texts.values()):
        return []
    found = "; ".join(
        f"those of {place} could not be installed: {why}" for place, why in sorted(failures.items())
    )
    text = (
        f"npm packages are not part of the code shown, because "
        f"{found or 'no lock file has them'}. A Worker is shown by its own sources and by its lock "
        "file."
    )
    return [Note(kind="packages", text=text)]


def _add_unread(recorded: CommitRecording, unread: Mapping[str, str]) -> CommitRecording:
    """Add the submodules that could not be read to what each stack does not contain."""
    if not unread:
        return recorded
    found = {f"{SUBMODULE}{path}": sha for path, sha in unread.items()}
    stacks = {
        name: {**raw, "not_read": {**(raw.get("not_read") or {}), **found}}
        for name, raw in recorded.stacks.items()
    }
    return replace(recorded, stacks=stacks)


def _make_failure(error: CheckoutError) -> CommitRecording:
    is_absent = isinstance(error, NoProjectError) and error.is_absent
    return CommitRecording(error=error.message, is_absent=is_absent)


_WHERE: Final = {
    "environment": "The values of Pulumi ESC's `environment:`",
    "secretsprovider": "The secrets that `secretsprovider:` encrypts",
}


def _note_unread_values(*recorded: CommitRecording) -> Iterator[Note]:
    """Note the values of a stack that are not in its files."""
    found: dict[str, set[str]] = {}
    for commit in recorded:
        for stack, raw in commit.stacks.items():
            for key, value in (raw.get("not_read") or {}).items():
                text = f"{_WHERE.get(key, key)} ({value}) are not read; stand-ins replace them"
                if key.startswith(SUBMODULE):
                    text = f"The {key} ({value[:12]}) is not in this clone: its files are missing"
                found.setdefault(text, set()).add(stack)
    for text, stacks in sorted(found.items()):
        yield Note(kind="not-read", text=f"{text} in {list_names(tuple(sorted(stacks)))}.")


def _check_out(
    repository: Repository, base: Commit, head: Commit, folder: Path
) -> tuple[Checkout | CheckoutError, Checkout | CheckoutError]:
    """Check both commits out. A commit without the project gives the error instead."""
    made: list[Checkout | CheckoutError] = []
    for name, commit in (("base", base), ("head", head)):
        try:
            made.append(repository.check_out(commit, folder / name))
        except CheckoutError as error:
            made.append(error)
    return made[0], made[1]


def _check_stacks(wanted: Sequence[str], *checkouts: Checkout | CheckoutError) -> None:
    known: set[str] = set()
    for checkout in checkouts:
        try:
            if isinstance(checkout, Checkout):
                known |= set(read_project_file(checkout.root, check=False).list_stacks())
        except FlowflareError:
            return  # recording reports a Pulumi.yaml that cannot be read
    remedy = f"The commits have these stacks: {', '.join(sorted(known)) or 'none'}."
    problems = [
        Problem(f"Pulumi.{name}.yaml", "neither commit has it", remedy)
        for name in wanted
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)
