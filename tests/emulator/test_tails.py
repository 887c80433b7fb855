"""Tails: `wrangler tail` shows logs and exceptions with stacks, as its filters admit them."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cloudflare import Cloudflare

from tests.emulator.emulated import Account, get
from tests.support.waiting import PATIENCE, wait_until
from tests.support.wrangler import NODE, WRANGLER

pytestmark = pytest.mark.workerd

SOURCE = """
export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    console.log("seen", { pathname });
    if (pathname === "/fail") throw new TypeError("no");
    return new Response("ok");
  },
};
"""


@contextmanager
def tail(account: Account, folder: Path, *words: str) -> Iterator[list[dict[str, Any]]]:
    """Run `wrangler tail` until the block ends; yields the list that gets the events it prints."""
    running = account.running
    process = subprocess.Popen(
        [NODE, WRANGLER, "tail", "w", "--format", "json", *words],
        cwd=folder,
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "CI": "true",
            "CLOUDFLARE_API_BASE_URL": running.base_url,
            "CLOUDFLARE_API_TOKEN": running.token,
            "CLOUDFLARE_ACCOUNT_ID": account.id,
            "WRANGLER_SEND_METRICS": "false",
            "NO_PROXY": "127.0.0.1",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    events: list[dict[str, Any]] = []
    reader = Thread(target=_collect, args=(process, events))
    reader.start()
    try:
        yield events
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            reader.join()


def _collect(process: subprocess.Popen[str], events: list[dict[str, Any]]) -> None:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.rstrip() == "}":
            events.append(json.loads(text))
            text = ""
    process.stdout.close()


@pytest.mark.long
def test_wrangler_shows_logs_and_exceptions_that_its_filters_admit(
    account: Account, tmp_path: Path
) -> None:
    account.put("w", SOURCE)
    url = account.enable("w")
    with tail(account, tmp_path, "--status", "error", "--method", "GET") as events:
        # Nothing in the API says when wrangler's WebSocket is connected.
        wait_until(lambda: get(f"{url}/fine").text == "ok" and get(f"{url}/fail") and events)
    assert {event["outcome"] for event in events} == {"exception"}
    event = events[0]
    assert event["scriptName"] == "w"
    assert event["event"]["request"]["url"].endswith("/fail")
    assert [log["message"] for log in event["logs"]] == [["seen", {"pathname": "/fail"}]]
    (exception,) = event["exceptions"]
    assert (exception["name"], exception["message"]) == ("TypeError", "no")
    assert "worker.js:6" in exception["stack"]


def test_the_sdk_reads_tails(account: Account) -> None:
    account.put("w", SOURCE)
    with Cloudflare(
        api_token=account.running.token,
        base_url=account.running.base_url,
        max_retries=0,
        _strict_response_validation=True,
    ) as sdk:
        tails = sdk.workers.scripts.tail
        created = tails.create("w", account_id=account.id)
        assert created is not None
        assert created.url.startswith("ws://127.0.0.1:")
        found = tails.get("w", account_id=account.id)
        assert found is not None
        assert found.id == created.id
        tails.delete(created.id, script_name="w", account_id=account.id)
    assert account.call("GET", "/workers/scripts/w/tails") is None
    refused = account.expect_refusal(
        "POST", "/workers/scripts/w/tails", json={"filters": [{"scriptVersion": "1"}]}
    )
    assert (refused.status, refused.errors[0][0]) == (400, 10001)
