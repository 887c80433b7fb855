"""A web page in the user's browser, or another user of the machine, calls the control API."""

import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowflare.emulator import process
from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, bearer, get, request, settings
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.workerd

HOLD = '{"action": {"kind": "hold"}}'
CONTROL = (
    ("GET", "/requests"),
    ("DELETE", "/requests"),
    ("GET", "/faults"),
    ("POST", "/faults"),
    ("DELETE", "/faults"),
    ("GET", "/workers"),
    ("PUT", "/units"),
    ("POST", "/settle"),
    ("POST", "/cron"),
    ("PUT", "/clock"),
    ("DELETE", "/clock"),
    ("POST", "/tokens"),
    ("GET", "/rate-limit"),
    ("PUT", "/rate-limit"),
    ("PUT", f"/zones/{'0' * 32}"),
    ("PUT", f"/accounts/{'0' * 32}"),
)


def test_control_needs_the_token(account: Account) -> None:
    for method, path in CONTROL:
        for headers, code in ((dict[str, str](), 9106), (bearer("0" * 40), 10000)):
            url = f"{account.root}/emulator{path}"
            refused = request(method, url, headers=headers, json={} if method != "GET" else None)
            assert refused.status_code in (400, 403), (method, path)
            assert refused.json()["errors"][0]["code"] == code
    assert account.control("GET", "/faults") == []


@pytest.mark.parametrize(
    "page",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "attacker.example"},
        {"Host": "shop.attacker.example.localhost"},
        {"Content-Type": "text/plain"},
    ],
)
def test_a_web_page_posts_no_fault_rule_even_with_the_token(
    account: Account, page: dict[str, str]
) -> None:
    url, headers = f"{account.root}/emulator/faults", bearer(account.running.token)
    json = {"Content-Type": "application/json"}
    refused = request("POST", url, headers={**headers, **json, **page}, content=HOLD)
    assert refused.status_code in (403, 415)
    assert account.control("GET", "/faults") == []
    if "Content-Type" not in page:
        asked = get(f"{account.running.base_url}/user", headers=headers | page)
        assert asked.status_code == 403


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("(", "unclosed group"),
        (r"(a)\1", "backreferences are not supported"),
        ("(?=a)a", "look-around"),
        (r"(?:\w{1000}){1000}", "size limit"),
        ("a" * 201, "at most 200 characters"),
    ],
)
def test_a_pattern_is_compiled_when_it_is_posted(
    account: Account, pattern: str, wrong: str
) -> None:
    rule = {"action": {"kind": "cut"}, "pattern": pattern}
    refused = account.ask_control("POST", "/faults", json=rule)
    assert refused.status_code == 400
    assert wrong in refused.text


def test_no_pattern_stops_the_emulator(account: Account) -> None:
    """Python's engine would need longer than the age of the universe for these."""
    long = "a" * 1_000 + "!"
    for pattern in ("(a+)+Z", "(a|a)*Z", "(.*a){20}Z", "^(/.*a+)+$"):
        rule = {"action": {"kind": "cut"}, "account": account.id, "pattern": pattern}
        account.control("POST", "/faults", json=rule)
    with httpx.Client(headers=account.http.headers, timeout=PATIENCE) as client:
        url = f"{account.running.base_url}/accounts/{account.id}/{long}"
        assert client.get(url).status_code == 501


@pytest.mark.parametrize(
    "rule",
    [
        {"action": {"kind": "delay", "seconds": float("nan")}},
        {"action": {"kind": "answer", "status": 500, "headers": {"x": "a\r\nb: c"}}},
        {"action": {"kind": "answer", "status": 500, "headers": {"a b": "c"}}},
    ],
)
def test_a_rule_that_would_break_its_calls_is_refused(account: Account, rule: Any) -> None:
    from json import dumps

    headers = {**bearer(account.running.token), "Content-Type": "application/json"}
    url = f"{account.root}/emulator/faults"
    assert request("POST", url, headers=headers, content=dumps(rule)).status_code == 400


def test_an_invalid_rule_is_refused_with_its_field(account: Account) -> None:
    headers = {**bearer(account.running.token), "Content-Type": "application/json"}
    for method, path in CONTROL:
        if method in ("POST", "PUT") and path not in ("/settle", "/tokens"):
            url = f"{account.root}/emulator{path}"
            refused = request(method, url, headers=headers, content=b'{"a": 1e999}')
            assert refused.status_code == 400, (method, path)
            assert "not valid JSON" in refused.text


def test_only_its_owner_can_read_a_data_folder(tmp_path: Path) -> None:
    """A folder that an earlier version or `mkdir` made readable for all is protected too."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    (data / "emulator.log").write_text("")
    (data / "emulator.log").chmod(0o644)
    running = process.start(settings(data), lambda _: None)
    try:
        token = running.token
        assert token not in repr(running)
        assert _mode(data) == 0o700
        assert _mode(data / "token") == 0o600
        assert _mode(data / "emulator.log") == 0o600
        assert get(f"{running.base_url}/user", headers=bearer(token)).status_code == 200
    finally:
        process.stop(data)
    (data / "token").chmod(0o644)
    again = process.start(settings(data), lambda _: None)
    try:
        assert again.token == token
        assert _mode(data / "token") == 0o600
    finally:
        process.stop(data)


def test_two_data_folders_have_two_tokens(cloud: Running, tmp_path: Path) -> None:
    running = process.start(settings(tmp_path / "data"), lambda _: None)
    try:
        assert running.token != cloud.token
        refused = get(f"{running.base_url}/user", headers=bearer(cloud.token))
        assert refused.status_code == 403
    finally:
        process.stop(tmp_path / "data")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
