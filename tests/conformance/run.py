"""Run the stories of the conformance table against an emulator."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from inspect import signature
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
from cloudflare import Cloudflare
from pydantic import ValidationError

from flowflare.emulator.process import Running
from flowflare.emulator.requests import API
from tests.conformance.judge import Done, Verdict, fill, judge, pick
from tests.conformance.rows import Call, Client, Row, Story
from tests.emulator.emulated import ESM, Account
from tests.support.waiting import PATIENCE
from tests.support.wrangler import NODE, WRANGLER, run_wrangler

CLIENTS = Path(__file__).parents[2] / "tools/clients/node_modules"
_TYPESCRIPT = Path(__file__).parent / "typescript.mjs"
_PROGRAMS = {
    Client.WRANGLER: WRANGLER,
    Client.WRANGLER_4_20: CLIENTS / "wrangler-4-20/bin/wrangler.js",
    Client.WRANGLER_3: CLIENTS / "wrangler-3/bin/wrangler.js",
}


def run_all(
    stories: Sequence[Story], emulators: Sequence[Running], folder: Path
) -> Iterator[tuple[Story, list[Verdict]]]:
    """Run stories on several emulators, one story at a time on each, and yield what has ended."""
    free: Queue[Running] = Queue()
    for running in emulators:
        free.put(running)

    def run(story: Story, at: Path) -> list[Verdict]:
        running = free.get()
        try:
            return list(run_story(story, running, at))
        finally:
            free.put(running)

    with ThreadPoolExecutor(len(emulators)) as pool:
        places = [folder / str(number) for number, _ in enumerate(stories)]
        yield from zip(stories, pool.map(run, stories, places), strict=True)


def run_story(story: Story, running: Running, folder: Path) -> Iterator[Verdict]:
    """Run one story in a new folder and a new account, alone on its emulator."""
    folder.mkdir(parents=True)
    with closing(Account(running)) as account:
        saved = {"account": account.id}
        for call in story.prepare:
            saved |= _prepare(account, call, saved)
        _write(folder, story.files, saved)
        run_row = _runner(story.client)
        for row in story.rows:
            _write(folder, row.files, saved)
            # Some calls name no account, so the log is read whole.
            account.control("DELETE", "/requests")
            done = run_row(row, account, folder, saved)
            verdict = judge(row, done, account, saved, account.control("GET", "/requests"))
            saved |= _pick_values(row.save, done.result)
            yield verdict


def _runner(client: Client) -> Callable[[Row, Account, Path, Mapping[str, str]], Done]:
    match client:
        case Client.PYTHON:
            return _call_python
        case Client.TYPESCRIPT:
            return _call_typescript
        case Client.HTTP:
            return _call_http
    return partial(_call_wrangler, _PROGRAMS[client])


def _call_wrangler(
    program: Path, row: Row, account: Account, folder: Path, saved: Mapping[str, str]
) -> Done:
    running = account.running
    # The HTTP client of older versions does not read NO_PROXY.
    proxy = {} if program == WRANGLER else {"HTTPS_PROXY": ""}
    done = run_wrangler(
        folder,
        *_words(fill(row.words, saved)),
        base_url=running.base_url,
        token=running.token,
        account=account.id,
        environ={"NO_COLOR": "1", "FORCE_COLOR": "0", **proxy},
        program=program,
        stdin=row.stdin,
    )
    return Done(done.returncode == 0, done.stdout + done.stderr)


def _words(command: str) -> list[str]:
    """Split a command at spaces; a word may be in single quotes."""
    parts = command.split("'")
    return [
        word
        for number, part in enumerate(parts)
        for word in ([part] if number % 2 else part.split())
    ]


def _call_python(row: Row, account: Account, folder: Path, saved: Mapping[str, str]) -> Done:
    del folder
    with Cloudflare(
        base_url=account.running.base_url,
        api_token=account.running.token,
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        method: Any = client
        for name in row.words.split("."):
            method = getattr(method, name)
        named = "account_id" in signature(method).parameters
        keywords = ({"account_id": account.id} if named else {}) | fill(row.body or {}, saved)
        try:
            answer = method(*fill(row.arguments, saved), **keywords)
            listed = list(answer) if hasattr(answer, "iter_pages") else answer
        # Whatever the SDK raises, also its own faults, is what the row reports.
        except Exception as error:  # noqa: BLE001
            return Done(False, f"{type(error).__name__}: {_cause(error)}")
    result = _plain(listed)
    return Done(True, json.dumps(result, default=str), result)


def _cause(error: Exception) -> str:
    """Return the first part of an answer that the SDK's types do not allow, or the message."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        first = cause.errors()[0]
        return f"{'.'.join(str(word) for word in first['loc'])}: {first['msg']}"
    return str(error)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return value.text() if hasattr(value, "text") and callable(value.text) else value


def _call_typescript(row: Row, account: Account, folder: Path, saved: Mapping[str, str]) -> Done:
    del folder
    body = {"account_id": account.id} | fill(row.body or {}, saved)
    asked = {
        "baseURL": account.running.base_url,
        "apiToken": account.running.token,
        "call": row.words,
        "arguments": [*fill(row.arguments, saved), body],
    }
    done = subprocess.run(
        [NODE, _TYPESCRIPT],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    succeeded = done.returncode == 0
    result = json.loads(done.stdout) if succeeded and done.stdout.strip() else None
    return Done(succeeded, done.stdout + done.stderr, result)


def _call_http(row: Row, account: Account, folder: Path, saved: Mapping[str, str]) -> Done:
    module = row.files.get("worker.js")
    if module is None:
        response = _request(account, row.words, row.body, saved)
    else:
        response = _upload(account, row.words, row.body, module, saved)
    del folder
    succeeded = response.status_code < 300
    return Done(succeeded, response.text, response.json().get("result") if succeeded else None)


def _prepare(account: Account, call: Call, saved: Mapping[str, str]) -> dict[str, str]:
    """Make a preparing request, which must succeed."""
    if call.script:
        response = _upload(account, call.words, call.body or {}, call.script, saved)
    else:
        response = _request(account, call.words, call.body, saved)
    assert response.status_code < 300, f"{call.words}: {response.text}"
    return _pick_values(call.save, response.json().get("result"))


def _upload(
    account: Account, words: str, metadata: Any, module: str, saved: Mapping[str, str]
) -> httpx.Response:
    described = {"main_module": "worker.js", "compatibility_date": "2026-11-01"} | metadata
    files = {
        "metadata": (None, json.dumps(fill(described, saved)), "application/json"),
        "worker.js": ("worker.js", module, ESM),
    }
    return _send(account, words, saved, files=files)


def _request(account: Account, words: str, body: Any, saved: Mapping[str, str]) -> httpx.Response:
    if isinstance(body, str):
        return _send(account, words, saved, content=fill(body, saved))
    return _send(account, words, saved, **({} if body is None else {"json": fill(body, saved)}))


def _send(
    account: Account, words: str, saved: Mapping[str, str], **arguments: Any
) -> httpx.Response:
    method, path = fill(words, saved).split(" ", 1)
    url = account.root + path if path.startswith((API, "/emulator")) else path
    return account.http.request(method, url, **arguments)


def _pick_values(names: Mapping[str, str], result: Any) -> dict[str, str]:
    found = {name: pick(result, path) for name, path in names.items()}
    return {name: str(value) for name, value in found.items() if value is not None}


def _write(folder: Path, files: Mapping[str, str], saved: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fill(text, saved) if name.endswith("json") else text)
