"""The rules of D1's exports that only time or a failing SQLite shows."""

import asyncio

import pytest

from flowflare.emulator.envelope import Refusal
from flowflare.emulator.services.d1.exports import Exports
from flowflare.emulator.services.d1.store import D1Database
from tests.unit.emulator.fake_runtime import FakeRuntime

DATABASE = D1Database("a" * 32, "uuid", "orders", "2026-11-01", None, None, "disabled")
NO_VIRTUAL_TABLES = {"rows": [{"results": {"columns": ["n"], "rows": [[0]]}, "meta": {}}]}


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_an_export_can_be_fetched_for_an_hour() -> None:
    clock = Clock()
    exports = Exports(FakeRuntime(NO_VIRTUAL_TABLES, {"dump": ["CREATE TABLE t (a);"]}), clock)
    exports.request("mark", {"output_format": "polling"})
    name = asyncio.run(exports.make(DATABASE, "mark"))
    assert name.startswith("orders-")
    clock.seconds = 3599
    assert exports.fetch(name) == "CREATE TABLE t (a);"
    clock.seconds = 3600
    assert exports.fetch(name) is None


def test_an_export_that_sqlite_refuses_is_refused_in_its_words() -> None:
    exports = Exports(FakeRuntime(NO_VIRTUAL_TABLES, {"error": "no such table: lost"}))
    exports.request("mark", {"output_format": "polling"})
    with pytest.raises(Refusal, match=r"no such table: lost \[code: 7500\]"):
        asyncio.run(exports.make(DATABASE, "mark"))
