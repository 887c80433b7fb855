"""Runs SQL on the databases that the Workers see, and shapes the results as D1's API does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.runtime.workers import Workers
from flowflare.emulator.services.d1.statements import LONGEST, split

_MOST_PARAMETERS = 100
_READS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SELECT|EXPLAIN)\b", re.IGNORECASE | re.DOTALL)
# Miniflare takes a pragma of its own for a dump, which D1 has not.
_MINIFLARE = re.compile(r"\s*PRAGMA\s+miniflare_", re.IGNORECASE)
_TABLES = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 4) <> '_cf_'"


@dataclass(frozen=True)
class Statement:
    """One statement with its parameters."""

    sql: str
    params: tuple[Any, ...] = ()

    @property
    def only_reads(self) -> bool:
        """Whether it is certain to change nothing."""
        return _READS.match(self.sql) is not None


def statements_of(body: dict[str, Any]) -> list[Statement]:
    """The statements of a query's body: `sql` with `params`, or a `batch` of them.

    Raises:
        Refusal: 7400 there is no SQL, or it is too long or has too many parameters; 7500 it holds
            no statement.
    """
    asked = body.get("batch")
    if asked is None:
        asked = [body]
    if not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
        raise codes.invalid_property("batch: Expected array of objects")
    found = [statement for each in asked for statement in _statements(each)]
    if not found:
        raise codes.query_failed("No SQL statements detected.")
    return found


def _statements(asked: dict[str, Any]) -> list[Statement]:
    sql, params = asked.get("sql"), _parameters(asked.get("params") or [])
    if not isinstance(sql, str):
        raise codes.invalid_property("sql: Expected string")
    texts = split(sql)
    if params and len(texts) > 1:
        raise codes.invalid_property("params: cannot be used with several statements")
    for text in texts:
        if len(text.encode()) > LONGEST:
            raise codes.query_failed("statement too long: SQLITE_TOOBIG")
        if _MINIFLARE.match(text):
            raise codes.query_failed("not authorized: SQLITE_AUTH")
    # D1's API takes any JSON scalar; SQLite has no booleans.
    values = tuple(int(each) if isinstance(each, bool) else each for each in params)
    return [Statement(text, values) for text in texts]


def _parameters(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise codes.invalid_property("params: Expected array")
    if not all(each is None or isinstance(each, str | int | float) for each in given):
        raise codes.invalid_property("params: Expected array of strings, numbers, booleans, nulls")
    if len(given) > _MOST_PARAMETERS:
        raise codes.query_failed("too many SQL variables: SQLITE_ERROR")
    return given


async def run(
    workers: Workers, database: str, statements: Sequence[Statement]
) -> list[dict[str, Any]]:
    """Runs statements in one transaction.

    Returns:
        a result per statement, rows as lists.

    Raises:
        Refusal: 7500 with SQLite's words; nothing was changed.
    """
    queries = [{"sql": each.sql, "params": list(each.params)} for each in statements]
    answer = await workers.query(database, queries)
    if "error" in answer:
        raise codes.query_failed(str(answer["error"]))
    return [{**each, "meta": _meta(each["meta"])} for each in answer["rows"]]


def as_objects(result: dict[str, Any]) -> dict[str, Any]:
    """A result with its rows as objects: the shape of `/query`."""
    table = result["results"]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return {**result, "results": rows}


async def measure(workers: Workers, database: str) -> dict[str, int]:
    """How many tables a database has and how many bytes its file has."""
    result = (await run(workers, database, [Statement(_TABLES)]))[0]
    return {
        "num_tables": result["results"]["rows"][0][0],
        "file_size": result["meta"]["size_after"],
    }


def _meta(meta: dict[str, Any]) -> dict[str, Any]:
    return {**meta, "served_by_region": "LOCAL"}
