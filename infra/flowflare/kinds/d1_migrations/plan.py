"""D1 migration files in a plan: which of them would run, and what the linter says of them."""

from collections.abc import Sequence
from typing import Any

from flowflare.kinds.assessment import Details, LintFinding, MigrationFile
from flowflare.migrations.files import Migration, make_migration
from flowflare.values.events import Step


def describe(step: Step) -> Details:
    """What a report says of the files that would run."""
    texts = {file.name: file.sql for file in pending_files(step)}
    return Details(migrations=files_to_run(step), texts=texts)


def files_to_run(step: Step) -> tuple[MigrationFile, ...]:
    """The files that a step on a `D1Migrations` resource would run, in order, with findings.

    A creation or replacement runs all of them; an update those that state does not say it has had.
    """
    pending = pending_files(step)
    if not pending:
        return ()
    applied = [file for file in _files(step) if file not in pending]
    found = _findings([*applied, *pending], applied=len(applied))
    return tuple(
        MigrationFile(
            name=file.name,
            bytes=len(file.sql.encode()),
            sha256=file.checksum,
            findings=tuple(one for name, one in found if name == file.name),
        )
        for file in pending
    )


def pending_files(step: Step) -> tuple[Migration, ...]:
    """The files that would run, with their SQL."""
    if step.op in ("same", "delete"):
        return ()
    rows = (step.outputs or {}).get("applied") if step.op == "update" else None
    applied = {row.get("name") for row in rows or ()}
    return tuple(file for file in _files(step) if file.name not in applied)


def _files(step: Step) -> tuple[Migration, ...]:
    files: Sequence[Any] = (step.new or {}).get("migrations") or ()
    return tuple(make_migration(one["name"], one["sql"]) for one in files)


def _findings(files: Sequence[Migration], *, applied: int) -> list[tuple[str, LintFinding]]:
    """What the linter says of the files after the applied ones, each with its file's name."""
    from flowflare.migrations.lint import lint  # brings a SQL parser, which few plans need

    return [
        (
            one.file,
            LintFinding(
                rule=one.rule,
                severity=one.severity,
                line=one.line,
                message=one.message,
                remedy=one.remedy,
                accepted=one.accepted,
            ),
        )
        for one in lint(files, applied=applied)
    ]
