"""Hostile requests to every operation: no bare 500, no dead runtime, no growth of memory."""

import json
import os
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs.generate_emulator_coverage import emulator_operations
from tests.emulator.emulated import Account, get

pytestmark = [pytest.mark.workerd, pytest.mark.no_cover]

TEXTS = [
    *("", "a", "app", "..", "%2e%2e", "%00", "%ff", "é", "' OR 1=1 --", "<b>", "${x}", "x" * 3_000),
    *("0", "-1", "1e999", "9" * 400, "null", "true", "0" * 32, "\u202e", "\x7f", "*", "a b"),
]
NUMBERS = [0, -1, 1, 2**31, 2**53, 2**63, 10**400, 1.5, -0.0, 1e308, True]
BODIES = [
    *(b"", b"{", b"null", b"[]", b'"a"', b"NaN", b"1e999", b"\xff\xfe", b'{"a": "\\ud800"}'),
    *(b"[" * 5_000, b"\x00", b'{"a":' * 200 + b"1" + b"}" * 200),
]
FIELDS = [
    *(
        "name",
        "title",
        "queue_name",
        "sql",
        "params",
        "bindings",
        "main_module",
        "versions",
        "type",
    ),
    *("strategy", "settings", "messages", "hostname", "pattern", "script", "text", "class_name"),
    *("script_name", "id", "metadata", "value", "key", "cron", "subdomain", "enabled", "limits"),
    *("versions", "tags", "strategies"),
]
TYPES = [
    *("application/json", "text/plain", "multipart/form-data; boundary=x", "multipart/form-data"),
    *("application/octet-stream", "application/x-www-form-urlencoded", ""),
]


def _value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(6 if depth < 4 else 4)
    if kind == 4:
        return [_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 5:
        keys = [chance.choice(FIELDS) for _ in range(chance.randrange(5))]
        return {key: _value(chance, depth + 1) for key in keys}
    return [None, chance.choice(TEXTS), chance.choice(NUMBERS), chance.choice(FIELDS)][kind]


def _body(chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return chance.choice(BODIES)
    body = {key: _value(chance) for key in chance.sample(FIELDS, chance.randrange(8))}
    text = json.dumps(body).encode()
    if chance.random() < 0.3:
        part = b'--x\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'
        return part + text + b"\r\n--x--\r\n"
    return text


@pytest.mark.parametrize(
    "requests", [300, pytest.param(20_000, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])]
)
def test_no_request_breaks_the_emulator(account: Account, tmp_path: Path, requests: int) -> None:
    account.put("app")
    operations = list(emulator_operations(tmp_path))
    chance = random.Random(15)
    before = 0
    with httpx.Client(headers=account.http.headers, timeout=60) as client:
        for number in range(requests):
            operation = chance.choice(operations)
            path = operation.path
            if path.startswith("/accounts/{}"):
                path = path.replace("{}", account.id, 1)
            while "{}" in path:
                path = path.replace("{}", chance.choice(TEXTS).replace("{}", ""), 1)
            query = {chance.choice(["page", "per_page", "limit"]): chance.choice(TEXTS)}
            answer = client.request(
                operation.method,
                httpx.URL(account.running.base_url + path.replace("\x7f", "%7f")[:6_000]),
                params=query,
                content=_body(chance),
                headers={"Content-Type": chance.choice(TYPES)},
            )
            case = (number, operation, path[:200], answer.text[:300])
            assert answer.status_code != 500, case
            if number == requests // 2:
                before = _memory(account.running.pid)
    assert _memory(account.running.pid) - before < 60_000_000
    assert account.control("GET", "/health")["crashes"] == 0
    # A request may have disabled or deleted `app`.
    account.put("after")
    assert get(account.enable("after")).text == "hello"


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
