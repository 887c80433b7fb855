"""Run SQL on the databases that the Workers use, and shape the results as D1's API does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.d1.statements import MAX_BYTES, split
from flowflare.emulator.services.d1.store import D1Database

_MAX_PARAMETERS = 100
_MAX_VALUE = 2_000_000
_ONE_ROW = re.compile(
    r"\s*(?:INSERT|REPLACE)\b[^;]*?\bVALUES\s*\([^()]*\)(?!\s*,)", re.IGNORECASE | re.DOTALL
)
_READS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|EXPLAIN)\b", re.IGNORECASE | re.DOTALL)
# Miniflare has its own pragma for a dump, which D1 does not have.
_MINIFLARE = re.compile(r"\s*PRAGMA\s+miniflare_", re.IGNORECASE)
_TABLES = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 4) <> '_cf_'"


@dataclass(frozen=True)
class Statement:
    """Hold one statement with its parameters."""

    sql: str
    params: tuple[Any, ...] = ()

    @property
    def only_reads(self) -> bool:
        """Return whether the statement certainly changes nothing."""
        return _READS.match(self.sql) is not None


def statements_of(body: dict[str, Any]) -> list[Statement]:
    """Read the statements of a query's body: `sql` with `params`, or a `batch` of them.

    Raises:
        Refusal: 7400 the SQL is missing or too long or has too many parameters; 7500 it contains no
            statement.
    """
    request = body.get("batch")
    if request is None:
        request = [body]
    if not isinstance(request, list) or not all(isinstance(query, dict) for query in request):
        raise codes.invalid_property("batch: Expected array of objects")
    statements = [statement for query in request for statement in _statements(query)]
    if not statements:
        raise codes.query_failed("No SQL statements detected.")
    return statements


def _statements(request: dict[str, Any]) -> list[Statement]:
    sql, params = request.get("sql"), _parameters(request.get("params") or [])
    if not isinstance(sql, str):
        raise codes.invalid_property("sql: Expected string")
    texts = split(sql)
    if params and len(texts) > 1:
        raise codes.invalid_property("params: cannot be used with several statements")
    for text in texts:
        if len(text.encode()) > MAX_BYTES:
            raise codes.query_failed("statement too long: SQLITE_TOOBIG")
        if _MINIFLARE.match(text):
            raise codes.query_failed("not authorized: SQLITE_AUTH")
    _refuse_large_rows(sql, params)
    # D1's API accepts any JSON scalar; SQLite has no booleans.
    values = tuple(int(value) if isinstance(value, bool) else value for value in params)
    return [Statement(text, values) for text in texts]


def _refuse_large_rows(sql: str, params: list[Any]) -> None:
    """Keep D1's limit of 2 MB for a value and a row, which workerd does not (SQLITE_TOOBIG).

    The size of a row is known if the statement inserts one row of parameters.
    """
    sizes = [len(value.encode()) if isinstance(value, str) else 8 for value in params]
    row = sum(sizes) if _ONE_ROW.match(sql) else 0
    if max(row, *sizes, 0) > _MAX_VALUE:
        raise codes.query_failed("string or blob too big: SQLITE_TOOBIG")


def _parameters(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise codes.invalid_property("params: Expected array")
    if not all(value is None or isinstance(value, str | int | float) for value in given):
        raise codes.invalid_property("params: Expected array of strings, numbers, booleans, nulls")
    if len(given) > _MAX_PARAMETERS:
        raise codes.query_failed("too many SQL variables: SQLITE_ERROR")
    return given


async def run(
    runtime: Runtime, database: D1Database, statements: Sequence[Statement]
) -> list[dict[str, Any]]:
    """Run statements in one transaction.

    Returns:
        one result per statement, with rows as lists.

    Raises:
        Refusal: 7500 with SQLite's error, or 7429 they took too long; nothing was changed.
    """
    queries = [{"sql": item.sql, "params": list(item.params)} for item in statements]
    answer = await runtime.query(database.uuid, queries)
    if answer.get("error") == codes.query_overran.text:
        raise codes.query_overran()
    if "error" in answer:
        raise codes.query_failed(str(answer["error"]))
    return [
        {**result, "meta": {**result["meta"], "served_by_region": database.served_by_region}}
        for result in answer["rows"]
    ]


def as_objects(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result with its rows as objects: the shape of `/query`."""
    table = result["results"]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return {**result, "results": rows}


async def measure(runtime: Runtime, database: D1Database) -> dict[str, int]:
    """Return how many tables a database has and how many bytes its file has."""
    result = (await run(runtime, database, [Statement(_TABLES)]))[0]
    return {
        "num_tables": result["results"]["rows"][0][0],
        "file_size": result["meta"]["size_after"],
    }
