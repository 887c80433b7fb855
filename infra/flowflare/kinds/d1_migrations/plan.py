"""D1 migration files in a plan: the files that would run, and the linter's findings."""

from collections.abc import Sequence
from typing import Any

from flowflare.kinds.assessment import Details, LintFinding, MigrationFile
from flowflare.migrations.files import Migration, make_migration
from flowflare.migrations.findings import judge_for_empty
from flowflare.values.events import Step
from flowflare.values.show import NEW_ID_START, UNKNOWN_SHOWN


def describe(step: Step) -> Details:
    """Return the details for a report: the files that would run."""
    texts = {file.name: file.sql for file in pending_files(step)}
    return Details(migrations=files_to_run(step), texts=texts)


def files_to_run(step: Step) -> tuple[MigrationFile, ...]:
    """List the files that a step on a `D1Migrations` resource would run, in order, with findings.

    A creation or replacement runs all files, and an update runs those that state does not have.
    """
    pending = pending_files(step)
    if not pending:
        return ()
    applied = [file for file in _parse_files(step) if file not in pending]
    is_new = is_new_database((step.new or {}).get("database_id"))
    found = _lint_files([*applied, *pending], applied=len(applied), is_new=is_new)
    return tuple(
        MigrationFile(
            name=file.name,
            bytes=len(file.sql.encode()),
            sha256=file.digest,
            findings=tuple(finding for name, finding in found if name == file.name),
        )
        for file in pending
    )


def is_new_database(database_id: object) -> bool:
    """Return whether a database is created in the same run, so that it has no rows to lose.

    Args:
        database_id: its ID in a plan: not known yet, `[unknown]`, or `[new id of ...]`.
    """
    return not isinstance(database_id, str) or database_id.startswith((UNKNOWN_SHOWN, NEW_ID_START))


def pending_files(step: Step) -> tuple[Migration, ...]:
    """List the files that would run, with their SQL."""
    if step.op in ("same", "delete"):
        return ()
    rows = (step.outputs or {}).get("applied") if step.op == "update" else None
    applied = {row.get("name") for row in rows or ()}
    return tuple(file for file in _parse_files(step) if file.name not in applied)


def _parse_files(step: Step) -> tuple[Migration, ...]:
    files: Sequence[Any] = (step.new or {}).get("migrations") or ()
    return tuple(make_migration(file["name"], file["sql"]) for file in files)


def _lint_files(
    files: Sequence[Migration], *, applied: int, is_new: bool
) -> list[tuple[str, LintFinding]]:
    """Lint the files after the applied ones; return the findings, each with its file's name."""
    from flowflare.migrations.lint import lint  # imports a SQL parser, which few plans need

    findings = lint(files, applied=applied)
    return [
        (
            finding.file,
            LintFinding(
                rule=finding.rule,
                severity=finding.severity,
                line=finding.line,
                message=finding.message,
                remedy=finding.remedy,
                accepted=finding.accepted,
            ),
        )
        for finding in (judge_for_empty(findings) if is_new else findings)
    ]
