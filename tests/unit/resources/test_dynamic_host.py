"""The providers in Pulumi's own host for dynamic providers, over gRPC."""

import base64
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2

from flowflare.resources.providers import D1MigrationsProvider
from tests.unit.fake_api import ACCOUNT, DATABASE, TOKEN, FakeApi
from tests.unit.resources.dynamic_host import UNKNOWN, serve_host, struct

REFERENCE = base64.b64encode(pickle.dumps(D1MigrationsProvider(), protocol=4)).decode()
URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/flowflare:D1Migrations::migrations"


@pytest.fixture
def host(api: FakeApi, tmp_path: Path) -> Iterator[Any]:
    config = {"cloudflare:baseUrl": api.base_url, "cloudflare:apiToken": TOKEN}
    with serve_host(config, cwd=tmp_path) as stub:
        yield stub


def props(*sql: str, database: str = DATABASE) -> dict[str, Any]:
    files = [
        {"name": f"000{number}_step.sql", "sql": text} for number, text in enumerate(sql, start=1)
    ]
    return {
        "account_id": ACCOUNT,
        "database_id": database,
        "migrations": files,
        "__provider": REFERENCE,
    }


def test_a_resource_is_checked_created_compared_and_read(host: Any) -> None:
    first, second = "CREATE TABLE t (a);", "INSERT INTO t VALUES (1);"
    old = struct(props(first))
    checked = host.Check(provider_pb2.CheckRequest(urn=URN, olds=Struct(), news=old))
    assert not checked.failures
    made = host.Create(provider_pb2.CreateRequest(urn=URN, properties=checked.inputs))
    assert made.id == DATABASE
    outputs = MessageToDict(made.properties)
    assert [row["name"] for row in outputs["applied"]] == ["0001_step.sql"]
    assert outputs["__provider"] == REFERENCE

    def diff(news: dict[str, Any]) -> Any:
        request = provider_pb2.DiffRequest(
            id=made.id, urn=URN, olds=made.properties, news=struct(news)
        )
        return host.Diff(request)

    assert diff(props(first)).changes == provider_pb2.DiffResponse.DIFF_NONE
    assert diff(props(first, second)).changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(diff(props(first, database=UNKNOWN)).replaces) == ["database_id"]

    edited = host.Check(
        provider_pb2.CheckRequest(urn=URN, olds=old, news=struct(props("CREATE TABLE u (a);")))
    )
    [failure] = edited.failures
    assert failure.reason.startswith("0001_step.sql: was edited after it was applied")

    updated = host.Update(
        provider_pb2.UpdateRequest(
            id=made.id, urn=URN, olds=made.properties, news=struct(props(first, second))
        )
    )
    read = host.Read(provider_pb2.ReadRequest(id=made.id, urn=URN, properties=updated.properties))
    assert read.id == DATABASE
    assert len(MessageToDict(read.properties)["applied"]) == 2
