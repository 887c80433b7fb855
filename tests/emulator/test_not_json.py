"""Invalid JSON is refused everywhere.

Rows that an earlier version stored affect only their Worker.
"""

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowflare.emulator import process
from flowflare.emulator.json_text import NotJsonError, parse_json, write_json
from flowflare.emulator.process import Running
from tests.emulator.emulated import ESM, HELLO, Account, get, settings
from tests.emulator.test_process import children, same_account
from tests.support.waiting import wait_until

DEEP = "[" * 100_000 + "]" * 100_000
# Values that Python's own reader accepts, or fails on in its own way.
VALUES = {
    "a number beyond a double's range": "1e999",
    "a negative one": "-1e999",
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "an integer of 5,000 digits": "7" * 5_000,
    "an integer of 400 digits": "7" * 400,
    "deep nesting": DEEP,
    "nesting deeper than pydantic's": "[" * 300 + "]" * 300,
    "a lone surrogate": r'"\ud800"',
    "a lone surrogate as a key": r'{"\udc00": 1}',
}
EVERY = pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())


@EVERY
def test_only_json_is_accepted(value: str) -> None:
    for text in (value, f'{{"a": [{value}]}}', f"[{value}]".encode()):
        with pytest.raises(NotJsonError):
            parse_json(text)


@pytest.mark.parametrize("text", [b"\xff", "", "{", "[1,]", "\ufeff1", b"\xff\xfe1\x00", "'a'"])
def test_other_texts_are_not_json_either(text: bytes | str) -> None:
    with pytest.raises(NotJsonError):
        parse_json(text)


def test_json_is_read_completely() -> None:
    text = r'{"a": [1, -2.5e300, 12345678901234567890, true, null, "\ud83d\ude00é"], "": {}}'
    assert parse_json(text) == json.loads(text)
    assert parse_json("[" * 100 + "]" * 100)
    with pytest.raises(NotJsonError):
        write_json({"a": float("inf")})
    with pytest.raises(NotJsonError):
        write_json({"a": object()})


def _operations(account: Account, database: str, value: str) -> dict[str, Any]:
    """Return a call for every operation that reads JSON, by its description."""
    binding = f'{{"type": "json", "name": "J", "json": {value}}}'
    text = f'{{"type": "secret_text", "name": "S", "text": {value}}}'
    upload = f'{{"main_module": "worker.js", "bindings": [{binding}]}}'
    module = ("worker.js", HELLO, ESM)
    app = "/workers/scripts/app"
    body = {"headers": {"Content-Type": "application/json"}}
    return {
        "metadata": ("PUT", app, {"files": _parts(metadata=upload, module=module)}),
        "annotations": (
            "POST",
            f"{app}/versions",
            {
                "files": _parts(
                    metadata=f'{{"main_module": "worker.js", "annotations": {value}}}',
                    module=module,
                )
            },
        ),
        "settings": ("PATCH", f"{app}/settings", {"files": _parts(settings=f'{{"x": {value}}}')}),
        "observability": (
            "PATCH",
            f"{app}/script-settings",
            {"content": f'{{"observability": {value}}}', **body},
        ),
        "a secret": ("PUT", f"{app}/secrets", {"content": text, **body}),
        "secrets": (
            "PATCH",
            f"{app}/secrets-bulk",
            {"content": f'{{"secrets": {{"S": {text}}}}}', **body},
        ),
        "a query's parameters": (
            "POST",
            f"/d1/database/{database}/query",
            {"content": f'{{"sql": "SELECT ?", "params": [{value}]}}', **body},
        ),
        "a queue": ("POST", "/queues", {"content": f'{{"queue_name": "q", "a": {value}}}', **body}),
        "a share": (
            "POST",
            f"{app}/deployments",
            {"content": f'{{"versions": [{{"percentage": {value}}}]}}', **body},
        ),
        "crons": ("PUT", f"{app}/schedules", {"content": f'[{{"cron": {value}}}]', **body}),
        "a database": ("POST", "/d1/database", {"content": f'{{"name": {value}}}', **body}),
        "a Workflow": ("PUT", "/workflows/w", {"content": f'{{"class_name": {value}}}', **body}),
        "domains": ("PUT", "/workers/domains", {"content": f'{{"hostname": {value}}}', **body}),
        "the subdomain": ("PUT", "/workers/subdomain", {"content": f'{{"a": {value}}}', **body}),
    }


def _parts(module: Any = None, **texts: str) -> list[tuple[str, Any]]:
    parts = [(name, (None, text, "application/json")) for name, text in texts.items()]
    return [*parts, *([("worker.js", module)] if module else [])]


@pytest.mark.workerd
@EVERY
def test_every_operation_refuses_it_in_cloudflares_envelope(account: Account, value: str) -> None:
    account.put("app")
    database = account.database()
    before = _list_stored(account)
    for holder, (method, path, arguments) in _operations(account, database, value).items():
        answer = account.http.request(method, path, **arguments)
        assert answer.status_code == 400, (holder, answer.text)
        error = answer.json()["errors"][0]
        assert error["code"] in (10001, 10026), holder
        assert "not valid JSON" in error["message"], holder
    assert _list_stored(account) == before
    assert get(account.enable("app")).text == "hello"


def _list_stored(account: Account) -> list[Any]:
    with closing(sqlite3.connect(account.running.data / "emulator.sqlite")) as connection:
        tables = ("scripts", "versions", "targets", "deployments", "databases", "workflows")
        return [
            connection.execute(f"SELECT * FROM {table} WHERE account = ?", [account.id]).fetchall()
            for table in tables
        ]


@pytest.mark.workerd
@pytest.mark.parametrize(
    ("method", "path", "arguments"),
    [
        ("PATCH", "/workers/scripts/app/settings", {"files": _parts(settings="[]")}),
        ("PATCH", "/workers/scripts/app/settings", {"files": _parts(settings='"bindings"')}),
        ("PATCH", "/workers/scripts/app/settings", {"files": _parts(settings='{"bindings": 1}')}),
        (
            "PATCH",
            "/workers/scripts/app/settings",
            {"files": _parts(settings='{"compatibility_date": 7}')},
        ),
        (
            "PUT",
            "/workers/scripts/app",
            {"headers": {"Content-Type": "multipart/form-data; boundary=x"}, "content": "nothing"},
        ),
        (
            "PUT",
            "/workers/scripts/app",
            {"headers": {"Content-Type": "multipart/form-data"}, "content": "nothing"},
        ),
        ("GET", f"/d1/database?page={'9' * 5000}", {}),
        ("POST", "/d1/database/db/query", {"json": {"sql": "SELECT ?", "params": [{"x": 1}]}}),
    ],
)
def test_every_body_is_answered_with_the_envelope(
    account: Account, method: str, path: str, arguments: Any
) -> None:
    account.put("app")
    account.database("db")
    answer = account.http.request(method, path, **arguments)
    assert answer.status_code in (200, 400)
    assert answer.json()["success"] is (answer.status_code == 200)
    assert get(account.enable("app")).text == "hello"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    process.stop(folder)


def _start(data: Path) -> Running:
    return process.start(settings(data), lambda _: None)


POISON = {
    "infinite binding": ("bindings", '[{"type": "json", "name": "J", "json": Infinity}]'),
    "a binding without a type": ("bindings", '[{"name": "J"}]'),
    "a variable without a text": ("bindings", '[{"name": "J", "type": "plain_text"}]'),
    "half a text": ("bindings", '[{"name": '),
    "no record": ("record", "{}"),
    "an infinite record": ("record", '{"metadata": 1e999}'),
}


@pytest.mark.workerd
def test_invalid_rows_of_an_earlier_version_stop_only_their_own_workers(
    data: Path,
) -> None:
    running = _start(data)
    account, other = Account(running), Account(running)
    names = [f"spoilt-{number}" for number in range(len(POISON))]
    for name in (*names, "target"):
        account.put(name)
    bound = [
        {"type": "service", "name": "A", "service": names[0]},
        {"type": "service", "name": "B", "service": "target"},
    ]
    source = """export default { async fetch(request, env) {
        return new Response(await (await env.B.fetch(request)).text() + typeof env.A);
    } };"""
    account.put("sound", source, bindings=bound)
    other.put("sound")
    urls = {name: account.enable(name) for name in (*names, "sound")}
    elsewhere = other.enable("sound")
    account.call("POST", "/queues", json={"queue_name": "q"})
    account.close()
    other.close()
    assert process.stop(data)
    with closing(sqlite3.connect(data / "emulator.sqlite")) as connection:
        for name, (column, text) in zip(names, POISON.values(), strict=True):
            connection.execute(f"UPDATE scripts SET {column} = ? WHERE name = ?", [text, name])
        connection.execute("UPDATE targets SET record = '{\"settings\": Infinity}'")
        connection.execute("UPDATE versions SET bindings = 'NaN' WHERE script = 'target'")
        connection.commit()

    again = _start(data)
    health = _health(again)
    assert (health.status_code, health.json()["status"]) == (200, "ready")
    with same_account(again, account.id) as found, same_account(again, other.id) as others:
        assert get(elsewhere).text == "hello"
        assert get(urls["sound"]).text == "helloundefined"
        for name in names:
            down = get(urls[name])
            assert down.status_code == 503
            assert f"The Worker '{name}' cannot run" in down.text
        listed = [each["id"] for each in found.call("GET", "/workers/scripts")]
        assert listed == sorted([*names, "sound", "target"])
        assert [each["id"] for each in others.call("GET", "/workers/scripts")] == ["sound"]
        assert [each["queue_name"] for each in found.call("GET", "/queues")] == ["q"]
        assert found.call("GET", "/workers/scripts/target/versions") == {"items": []}
        assert found.call("GET", f"/workers/scripts/{names[0]}/references")

        # Uploading or deleting repairs it, without editing the database by hand.
        found.put(names[0])
        assert get(urls[names[0]]).text == "hello"
        assert get(urls["sound"]).text == "helloobject"
        found.call("DELETE", f"/workers/scripts/{names[1]}")
        settled = found.ask_control("POST", f"/settle?account={found.id}")
        assert len(settled.json()["problems"]) == len(names) - 2


@pytest.mark.workerd
def test_health_reports_a_runtime_that_is_not_restarted(data: Path) -> None:
    running = _start(data)

    def kill_until_it_fails() -> bool:
        for pid in children(running.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return _health(running).json()["status"] == "failed"

    with closing(Account(running)) as account:
        account.put("app")
        wait_until(kill_until_it_fails)
        assert _health(running).status_code == 503
        assert _health(running).json()["problem"].startswith("The Workers runtime ended 6 times")
        refused = account.expect_refusal("POST", "/d1/database", json={"name": "db"})
        assert (refused.status, refused.errors[0][0]) == (500, 10013)
        assert account.put_expecting_refusal("app").errors[0][0] == 10013
        shown = account.control("GET", "/workers")
        assert [each["script"] for each in shown["workers"]] == ["app"]


def _health(running: Running) -> httpx.Response:
    return get(f"http://127.0.0.1:{running.port}/emulator/health")
