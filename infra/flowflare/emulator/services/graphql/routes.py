"""Serve the GraphQL API for the figures that wrangler asks for, and refuse other data sets by name.

The query is not interpreted: the names of data sets in it say what is asked, and `variables` of
what. An answer has every figure that the emulator has of a data set, so a client finds those that
its query names.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flowflare.emulator import codes
from flowflare.emulator.clock import now
from flowflare.emulator.requests import Routes, json_object, serves
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.targets.r2 import R2
from flowflare.emulator.services.targets.store import TargetsStore

#: The data sets that a query names; wrangler and Cloudflare's documentation write them so.
_DATA_SET = re.compile(r"\b(\w+Groups|\w+Adaptive)\b\s*\(")
_ACCOUNT = re.compile(r"[0-9a-f]{32}")

Figures = Callable[[str, Mapping[str, Any]], Awaitable[list[dict[str, Any]]]]
"""Return the rows of a data set, from the account and the query's `filter`."""


class GraphqlRoutes(Routes):
    """Serve the queries of accounts' figures.

    Args:
        targets: the buckets.
        runtime: the runtime, which counts their objects.
    """

    def __init__(self, targets: TargetsStore, runtime: Runtime) -> None:
        self._targets = targets
        self._runtime = runtime
        self._data_sets: dict[str, Figures] = {"r2StorageAdaptiveGroups": self._measure_bucket}

    @serves("POST", "/graphql")
    async def _query(self, request: Request) -> Response:
        """Answer with the figures, or with an error as GraphQL has it: its text is our reading."""
        asked = await json_object(request)
        query, variables = asked.get("query"), asked.get("variables") or {}
        if not isinstance(query, str) or not isinstance(variables, dict):
            return _fail("The request needs a `query`, and `variables` that are an object.")
        account, given = variables.get("accountTag"), variables.get("filter")
        named = list(dict.fromkeys(_DATA_SET.findall(query)))
        unknown = [name for name in named if name not in self._data_sets]
        if unknown or not named:
            raise codes.not_emulated("POST", f"/graphql ({', '.join(unknown) or 'this query'})")
        if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
            return _fail("`variables.accountTag` must be the account's ID")
        conditions = given if isinstance(given, dict) else {}
        figures = {name: await self._data_sets[name](account, conditions) for name in named}
        data = {"viewer": {"accounts": [figures]}}
        return JSONResponse({"data": data, "errors": None})

    async def _measure_bucket(
        self, account: str, conditions: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Count the objects of a bucket now. Its jurisdiction may be in front of the name."""
        name = str(conditions.get("bucketName", "")).rpartition("_")[2]
        bucket = self._targets.find(account, R2, "name", name)
        if bucket is None:
            return []
        measured = await self._runtime.measure_bucket(bucket.key)
        largest = {
            "objectCount": measured["objects"],
            "payloadSize": measured["bytes"],
            "metadataSize": measured["metadata_bytes"],
        }
        return [{"max": largest, "dimensions": {"datetime": now(), "bucketName": name}}]


def _fail(message: str) -> JSONResponse:
    error = {"message": message, "path": None, "extensions": {"code": "error"}}
    return JSONResponse({"data": None, "errors": [error]})
