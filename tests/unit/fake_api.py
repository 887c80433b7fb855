"""An API on loopback with D1 on SQLite and a table of scripts, as the dynamic providers need it.

It answers what the providers ask for in the shape of Cloudflare's envelope, keeps every request,
and can lose one answer after doing what was asked.
"""

import email.parser
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"
DATABASE = "545c4809-1648-42c5-9184-54be1ad6a228"
TOKEN = "t0" * 20

_QUERY = re.compile(r"/accounts/\w+/d1/database/([\w-]+)/query")
_BOOKMARK = re.compile(r"/accounts/\w+/d1/database/([\w-]+)/time_travel/bookmark")
_NAMESPACES = re.compile(r"/accounts/(\w+)/workers/durable_objects/namespaces")
_REFERENCES = re.compile(r"/accounts/\w+/workers/scripts/([\w-]+)/references")
_SERVICE = re.compile(r"/accounts/\w+/workers/services/([\w-]+)")
_SETTINGS = re.compile(r"/accounts/\w+/workers/scripts/([\w-]+)/settings")
_SUBDOMAIN = re.compile(r"/accounts/\w+/workers/scripts/([\w-]+)/subdomain")
_SCRIPT = re.compile(r"/accounts/\w+/workers/scripts/([\w-]+)")


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Script:
    """One uploaded script."""

    tag: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    content: str = ""


@dataclass
class FakeApi:
    """The account's state and the requests so far: `POST /query` and so on."""

    base_url: str = ""
    requests: list[str] = field(default_factory=list)
    sql: list[str] = field(default_factory=list)
    scripts: dict[str, Script] = field(default_factory=dict)
    databases: dict[str, sqlite3.Connection] = field(default_factory=dict)
    namespaces: list[dict[str, Any]] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    account_subdomain: str | None = None
    lose_answer_of: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, body: bytes, content_type: str) -> Any:
        if path.endswith("/workers/subdomain") and self.account_subdomain:
            return {"subdomain": self.account_subdomain}
        for pattern, respond in (
            (_QUERY, lambda name: self._query(name, json.loads(body)["sql"])),
            (_BOOKMARK, lambda name: {"bookmark": f"bookmark-{len(self.requests)}"}),
            (_NAMESPACES, lambda _: self.namespaces),
            (_REFERENCES, lambda _: {"durable_objects": []}),
            (_SERVICE, self._service),
            (_SETTINGS, lambda name: self._settings(name, body, content_type)),
            (_SUBDOMAIN, self._subdomain),
            (_SCRIPT, lambda name: self._upload(name, body, content_type)),
        ):
            if match := pattern.fullmatch(path):
                return respond(match.group(1))
        raise RefusalError(404, 7003, f"No route for {method} {path}")

    def _service(self, name: str) -> Any:
        return {"default_environment": {"script": {"migration_tag": self._script(name).tag}}}

    def _subdomain(self, name: str) -> Any:
        self._script(name)
        known = name in self.urls or self.account_subdomain is not None
        return {"enabled": known, "url": self.urls.get(name)}

    def _script(self, name: str) -> Script:
        if name not in self.scripts:
            raise RefusalError(404, 10007, "This Worker does not exist on your account.")
        return self.scripts[name]

    def _query(self, database: str, sql: str) -> list[dict[str, Any]]:
        self.sql.append(sql)
        if database not in self.databases:
            raise RefusalError(404, 7404, "The database was not found")
        connection = self.databases[database]
        rows: list[dict[str, Any]] = []
        connection.execute("BEGIN")
        try:
            for statement in _statements(sql):
                cursor = connection.execute(statement)
                names = [column[0] for column in cursor.description or ()]
                rows = [dict(zip(names, row, strict=True)) for row in cursor]
        except sqlite3.Error as error:
            connection.execute("ROLLBACK")
            raise RefusalError(400, 7500, f"{error}: SQLITE_ERROR") from None
        connection.execute("COMMIT")
        return [{"results": rows, "success": True, "meta": {}}]

    def _settings(self, name: str, body: bytes, content_type: str) -> Any:
        script = self._script(name)
        if body:
            bindings = json.loads(_parts(body, content_type)["settings"])["bindings"]
            live = {binding["name"]: binding for binding in script.metadata["bindings"]}
            script.metadata["bindings"] = [
                live[binding["name"]] if binding["type"] == "inherit" else binding
                for binding in bindings
            ]
        return {"bindings": script.metadata["bindings"]}

    def _upload(self, name: str, body: bytes, content_type: str) -> Any:
        parts = _parts(body, content_type)
        metadata = json.loads(parts["metadata"])
        script = self.scripts.get(name, Script())
        migrations = metadata.pop("migrations", None)
        if migrations:
            if migrations.get("old_tag") != script.tag:
                raise RefusalError(412, 10079, "Actor migration tag precondition failed")
            script.tag = migrations["new_tag"]
        script.metadata = metadata | {"steps": (migrations or {}).get("steps")}
        script.content = parts[metadata["main_module"]].decode()
        self.scripts[name] = script
        return {"id": name}


def _parts(body: bytes, content_type: str) -> dict[str, bytes]:
    """The parts of a form, by name."""
    header = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser().parsebytes(header + body)
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
        for part in message.get_payload()
    }


def _statements(sql: str) -> Iterator[str]:
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def handle_any(self) -> None:
        api = self.server.api
        path = self.path.partition("?")[0].removeprefix("/client/v4")
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with api.lock:
            api.requests.append(f"{self.command} {self.path.removeprefix('/client/v4')}")
            envelope: dict[str, Any] = {"success": True, "errors": [], "messages": []}
            status = 200
            try:
                content_type = self.headers.get("content-type", "")
                envelope["result"] = api.answer(self.command, path, body, content_type)
            except RefusalError as refusal:
                status = refusal.status
                errors = [{"code": refusal.code, "message": refusal.message}]
                envelope |= {"success": False, "errors": errors, "result": None}
            lost = api.lose_answer_of is not None and api.lose_answer_of in f"{self.command} {path}"
            if lost:
                api.lose_answer_of = None
        if lost:
            self.close_connection = True
            return
        content = json.dumps(envelope).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 -- the base's words

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's word
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: FakeApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api


@contextmanager
def serve_fake_api() -> Iterator[FakeApi]:
    """Serves an account with one empty database on a port of its own."""
    connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    api = FakeApi(databases={DATABASE: connection})
    server = _Server(api)
    api.base_url = f"http://127.0.0.1:{server.server_address[1]}/client/v4"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        connection.close()
