"""Recognise the original Flowflare's tables, and write the SQL that converts their rows.

The original's columns are from its API reference. It has two rows for a step that started and
ended, and several for a workflow without a reference. This schema has one row for each, so they are
merged. Its times have two formats, and an ended run may have no end time.
"""

# ruff: noqa: S608 -- only names of tables and columns, none of them from outside

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from flowflare.migrations.files import Migration

#: The tables of the original's reference, parents first.
TABLES: Final = ("workflow", "workflow_runs", "workflow_steps", "workflow_step_retries")
_OLD: Final = "original_"
_RUN_STATUS: Final = ("Running", "Sleeping", "Completed", "Errored")
_STEP_STATUS: Final = ("Pending", "Running", "Completed", "Failed", "Retrying")
_NOW: Final = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "workflow": (
        "name", "status", "input_params", "output_result", "metadata", "last_run_id", "ref_id",
        "ref_type", "created_at", "updated_at", "completed_at",
    ),
    "workflow_runs": (
        "id", "status", "ref_id", "ref_type", "input_params", "output_result", "metadata",
        "created_at", "updated_at", "completed_at", "sleep_until",
    ),
    "workflow_steps": (
        "workflow_run_id", "step_name", "status", "step_index", "state", "started_at",
        "completed_at",
    ),
    "workflow_step_retries": ("retry_count", "retry_at", "last_error", "created_at"),
}  # fmt: skip
_TIMES: Final = frozenset(
    {"created_at", "updated_at", "completed_at", "sleep_until", "started_at", "retry_at"}
)
_SAME_WORKFLOW: Final = "PARTITION BY name, coalesce(ref_id, ''), coalesce(ref_type, '')"
_SAME_STEP: Final = "PARTITION BY workflow_run_id, coalesce(step_index, 0), step_name"
_ENDED: Final = "'Completed', 'Errored'"


def is_original(objects: Collection[tuple[str, str]]) -> bool:
    """Return whether a database's definitions, by type and name, include the original's tables."""
    return all(("table", name) in objects for name in TABLES)


def write_conversion(
    objects: Mapping[tuple[str, str], str],
    columns: Mapping[str, Collection[str]],
    files: Sequence[Migration],
) -> str:
    """Write the SQL that creates this Flowflare's tables and converts the original's rows.

    D1 runs a file as one unit: either everything happens or nothing. The SQL fails if a run or a
    step would be lost.

    Args:
        objects: the database's definitions, by type and name.
    """
    parts = [
        "-- Converts the rows of the original Flowflare's tables. Make a backup first:",
        "-- wrangler d1 export NAME --remote --output backup.sql",
        "PRAGMA defer_foreign_keys = true;",
    ]
    for kind in ("trigger", "view", "index"):
        names = sorted(name for type_, name in objects if type_ == kind)
        parts += [f'DROP {kind.upper()} IF EXISTS "{name}";' for name in names]
    parts += [f"ALTER TABLE {table} RENAME TO {_OLD}{table};" for table in TABLES]
    parts += [f"\n-- {file.name}\n{file.sql.strip()}" for file in files]
    parts += [
        "\n-- The rows",
        _write_workflows(columns["workflow"]),
        _write_runs(columns["workflow_runs"]),
        _write_steps(columns["workflow_steps"]),
        _write_retries(columns["workflow_step_retries"]),
        _write_check(),
    ]
    parts += [f"DROP TABLE {_OLD}{table};" for table in reversed(TABLES)]
    return "\n".join(parts) + "\n"


def _write_workflows(has: Collection[str]) -> str:
    wanted = _COLUMNS["workflow"]
    values = [_write_value(name, has, _RUN_STATUS) for name in wanted]
    return (
        f"INSERT INTO workflow (id, runs_count, {', '.join(wanted)})\n"
        f"SELECT first, (SELECT count(*) FROM {_OLD}workflow_runs r JOIN {_OLD}workflow w "
        "ON w.id = r.workflow_id WHERE w.name = latest.name "
        "AND coalesce(w.ref_id, '') = coalesce(latest.ref_id, '') "
        f"AND coalesce(w.ref_type, '') = coalesce(latest.ref_type, '')), {', '.join(values)}\n"
        "FROM (SELECT *, min(id) OVER same AS first, max(id) OVER same AS newest\n"
        f"  FROM {_OLD}workflow WINDOW same AS ({_SAME_WORKFLOW})) AS latest\n"
        "WHERE id = newest;"
    )


def _write_runs(has: Collection[str]) -> str:
    wanted = _COLUMNS["workflow_runs"]
    values = [_write_value(name, has, _RUN_STATUS, table="r.") for name in wanted]
    return (
        f"INSERT INTO workflow_runs (workflow_id, workflow_name, {', '.join(wanted)})\n"
        f"SELECT w.first, w.name, {', '.join(values)}\n"
        f"FROM {_OLD}workflow_runs r\n"
        f"JOIN (SELECT id, name, min(id) OVER ({_SAME_WORKFLOW}) AS first\n"
        f"  FROM {_OLD}workflow) w ON w.id = r.workflow_id;"
    )


def _write_steps(has: Collection[str]) -> str:
    wanted = _COLUMNS["workflow_steps"]
    values = [_write_value(name, has, _STEP_STATUS) for name in wanted]
    began = wanted.index("started_at")
    values[began] = "began"
    started = _write_time("started_at") if "started_at" in has else "NULL"
    return (
        f"INSERT INTO workflow_steps (id, {', '.join(wanted)})\n"
        f"SELECT first, {', '.join(values)}\n"
        "FROM (SELECT *, min(id) OVER same AS first, max(id) OVER same AS newest,\n"
        f"  min({started}) OVER same AS began\n"
        f"  FROM {_OLD}workflow_steps WINDOW same AS ({_SAME_STEP}))\n"
        "WHERE id = newest;"
    )


def _write_retries(has: Collection[str]) -> str:
    wanted = _COLUMNS["workflow_step_retries"]
    values = [_write_value(name, has, (), table="r.") for name in wanted]
    return (
        f"INSERT OR IGNORE INTO workflow_step_retries (workflow_step_id, {', '.join(wanted)})\n"
        f"SELECT s.first, {', '.join(values)}\n"
        f"FROM {_OLD}workflow_step_retries r\n"
        f"JOIN (SELECT id, min(id) OVER ({_SAME_STEP}) AS first\n"
        f"  FROM {_OLD}workflow_steps) s ON s.id = r.workflow_step_id\n"
        "ORDER BY r.id DESC;"
    )


def _write_check() -> str:
    """Write SQL that fails if a run is missing, or a step with its run, index and name."""
    runs = f"(SELECT count(*) FROM {_OLD}workflow_runs) = (SELECT count(*) FROM workflow_runs)"
    steps = (
        "(SELECT count(*) FROM (SELECT DISTINCT workflow_run_id, coalesce(step_index, 0), "
        f"step_name FROM {_OLD}workflow_steps)) = (SELECT count(*) FROM workflow_steps)"
    )
    return (
        "CREATE TABLE original_counted (every_row INTEGER CHECK (every_row = 1));\n"
        f"INSERT INTO original_counted VALUES ({runs}), ({steps});\n"
        "DROP TABLE original_counted;"
    )


def _write_value(
    name: str, has: Collection[str], statuses: Sequence[str], *, table: str = ""
) -> str:
    """Write a column's value. A column that the original lacks is NULL, or as in a new row."""
    column = f"{table}{name}" if name in has else "NULL"
    if name == "status":
        known = ", ".join(f"'{name}'" for name in statuses)
        other, early = statuses[3], "Running" if statuses is _RUN_STATUS else "Pending"
        return (
            f"CASE WHEN {column} IN ({known}) THEN {column} "
            f"WHEN {column} = 'Pending' THEN '{early}' ELSE '{other}' END"
        )
    if name in ("step_index", "retry_count"):
        return f"coalesce({column}, 0)"
    if name == "completed_at" and "updated_at" in has and "status" in has:
        updated = _write_time(f"{table}updated_at")
        ended = f"CASE WHEN {table}status IN ({_ENDED}) THEN {updated} END"
        return f"coalesce({_write_time(column)}, {ended})"
    if name in ("created_at", "updated_at"):
        return f"coalesce({_write_time(column)}, {_NOW})"
    return _write_time(column) if name in _TIMES and column != "NULL" else column


def _write_time(column: str) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column})"
