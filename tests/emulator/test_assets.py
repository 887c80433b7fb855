"""Static assets: uploaded by sessions or by wrangler, and served as Cloudflare serves them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.emulator.emulated import Account, bearer, get, request
from tests.emulator.test_wrangler import run_wrangler
from tests.support.tiers import keep_every

pytestmark = pytest.mark.workerd

WORKER = """
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/page") return env.ASSETS.fetch(new URL("/about", request.url));
    return new Response(`worker ${pathname}`);
  },
};
"""
FILES = {
    "/index.html": "<h1>home</h1>",
    "/about.html": "<h1>about</h1>",
    "/app.js": "console.log(1)",
    "/404.html": "<h1>lost</h1>",
    "/docs/index.html": "<h1>docs</h1>",
    "/gr%C3%BC%C3%9Fe.txt": "grüße",
}
ASSETS = {"type": "assets", "name": "ASSETS"}
_COMPLETE = 201


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def make_manifest(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    return {
        path: {"hash": hash_of(text), "size": len(text.encode())} for path, text in files.items()
    }


def begin(account: Account, files: Mapping[str, str]) -> Any:
    body = {"manifest": make_manifest(files)}
    return account.call("POST", "/workers/scripts/app/assets-upload-session", json=body)


def send(account: Account, token: str, texts: list[str]) -> httpx.Response:
    parts = [
        (hash_of(text), (hash_of(text), base64.b64encode(text.encode()), "text/plain"))
        for text in texts
    ]
    return request(
        "POST",
        f"{account.running.base_url}/accounts/{account.id}/workers/assets/upload?base64=true",
        headers=bearer(token),
        files=parts,
    )


def complete(account: Account, files: Mapping[str, str]) -> str:
    """Upload the files in a session, and return its completion token."""
    session = begin(account, files)
    texts = {hash_of(text): text for text in files.values()}
    token = session["jwt"]
    for bucket in session["buckets"]:
        answer = send(account, session["jwt"], [texts[name] for name in bucket])
        assert answer.status_code == _COMPLETE, answer.text
        token = answer.json()["result"]["jwt"]
    return str(token)


def deploy(account: Account, files: Mapping[str, str] = FILES, **config: Any) -> str:
    assets = {"jwt": complete(account, files), "config": config}
    account.put("app", WORKER, bindings=[ASSETS], assets=assets)
    return account.enable("app")


def say(url: str, path: str) -> str:
    answer = get(url + path, follow_redirects=False)
    return f"{answer.status_code} {answer.headers.get('location') or answer.text}"


def test_an_asset_is_served_before_the_worker_and_the_binding_fetches_one(account: Account) -> None:
    url = deploy(account)
    assert say(url, "/") == "200 <h1>home</h1>"
    assert say(url, "/about") == "200 <h1>about</h1>"
    assert say(url, "/about.html") == "307 /about"
    assert say(url, "/gr%C3%BC%C3%9Fe.txt") == "200 grüße"
    assert get(f"{url}/app.js").headers["content-type"].startswith("text/javascript")
    assert say(url, "/else") == "200 worker /else"
    assert say(url, "/api/page") == "200 <h1>about</h1>"
    [script] = account.call("GET", "/workers/scripts")
    assert script["has_assets"] is True


@pytest.mark.parametrize(
    ("config", "path", "said"),
    keep_every(
        4,
        [
            ({"run_worker_first": ["/app*", "!/app.js"]}, "/app", "200 worker /app"),
            ({"run_worker_first": ["/app*", "!/app.js"]}, "/app.js", "200 console.log(1)"),
            ({"run_worker_first": True}, "/about", "200 worker /about"),
            ({"_redirects": "/old /about 302"}, "/old", "302 /about"),
            ({"html_handling": "force-trailing-slash"}, "/about", "307 /about/"),
            ({"html_handling": "drop-trailing-slash"}, "/docs/", "307 /docs"),
            ({"html_handling": "none"}, "/about", "200 worker /about"),
        ],
    ),
)
def test_the_configuration_decides_what_answers(
    account: Account, config: dict[str, Any], path: str, said: str
) -> None:
    assert say(deploy(account, **config), path) == said


@pytest.mark.parametrize(
    ("handling", "said"),
    keep_every(
        2, [("404-page", "404 <h1>lost</h1>"), ("single-page-application", "200 <h1>home</h1>")]
    ),
)
def test_a_navigation_to_a_missing_page_gets_the_page_for_it(
    account: Account, handling: str, said: str
) -> None:
    url = deploy(account, not_found_handling=handling, _headers="/*\n  X-Mine: yes\n")
    answer = get(f"{url}/missing", headers={"Sec-Fetch-Mode": "navigate"})
    assert f"{answer.status_code} {answer.text}" == said
    assert answer.headers["x-mine"] == "yes"


def test_the_official_sdk_uploads_in_a_session(account: Account) -> None:
    from cloudflare import Cloudflare

    def use(token: str) -> Cloudflare:
        return Cloudflare(base_url=account.running.base_url, api_token=token, max_retries=0)

    texts = {hash_of(text): text for text in FILES.values()}
    with use(account.running.token) as sdk:
        manifest = make_manifest(FILES)
        session = sdk.workers.scripts.assets.upload.create(
            "app", account_id=account.id, manifest=manifest
        )
    body = {
        name: base64.b64encode(texts[name].encode()).decode()
        for bucket in session.buckets or ()
        for name in bucket
    }
    with use(str(session.jwt)) as sdk:
        done = sdk.workers.assets.upload.create(account_id=account.id, base64=True, body=body)
    account.put("app", WORKER, bindings=[ASSETS], assets={"jwt": done.jwt})
    assert say(account.enable("app"), "/about") == "200 <h1>about</h1>"


def test_only_missing_files_are_asked_for_and_kept_assets_stay(account: Account) -> None:
    url = deploy(account)
    changed = {**FILES, "/app.js": "console.log(2)"}
    assert begin(account, changed)["buckets"] == [[hash_of("console.log(2)")]]
    assert begin(account, FILES)["buckets"] == []

    account.put("app", WORKER, bindings=[ASSETS], keep_assets=True)
    assert say(url, "/about") == "200 <h1>about</h1>"
    account.put("app", WORKER, keep_assets=True, assets={"config": {"html_handling": "none"}})
    assert say(url, "/about") == "200 worker /about"
    account.put("app", WORKER)
    assert say(url, "/app.js") == "200 worker /app.js"


def test_what_a_session_does_not_allow_is_refused(account: Account) -> None:
    session = begin(account, {"/a.txt": "a", "/b.txt": "b"})
    assert send(account, session["jwt"], ["c"]).status_code == 400
    assert send(account, f"{session['jwt']}x", ["a"]).status_code == 403
    first = send(account, session["jwt"], ["a"])
    assert (first.status_code, first.json()["result"]) == (202, {})
    refused = account.put_expecting_refusal("app", WORKER, assets={"jwt": session["jwt"]})
    assert refused.errors[0][0] == 10021
    for path in ("a", "/../a", "/a/%2e%2e/b", "/a//b", "/%2Fetc"):
        manifest = {path: {"hash": "0" * 32, "size": 1}}
        body = {"manifest": manifest}
        account.expect_refusal("POST", "/workers/scripts/app/assets-upload-session", json=body)


@pytest.mark.long
def test_wrangler_deploys_assets(account: Account, tmp_path: Path) -> None:
    for path, text in {**FILES, "/_headers": "/*\n  X-Mine: yes\n", "/big/a.txt": "a"}.items():
        file = tmp_path / "public" / path.removeprefix("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "index.js").write_text(WORKER)
    config = {
        "name": "app",
        "main": "index.js",
        "compatibility_date": "2026-11-01",
        "workers_dev": True,
        "assets": {"directory": "public", "binding": "ASSETS", "not_found_handling": "404-page"},
    }
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    assert "Uploaded 7 files" in run_wrangler(tmp_path, account, "deploy")
    url = account.enable("app")
    assert say(url, "/about") == "200 <h1>about</h1>"
    assert say(url, "/api/page") == "200 <h1>about</h1>"
    assert get(url).headers["x-mine"] == "yes"
    (tmp_path / "public/app.js").write_text("console.log(2)")
    assert "Uploaded 1 file" in run_wrangler(tmp_path, account, "deploy")
    assert say(url, "/app.js") == "200 console.log(2)"
