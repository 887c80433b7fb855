"""Serve a hand-written Cloudflare API over HTTP, with the operations that the engine uses."""

import copy
import email
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "t" * 40
ZONE = "89abcdef0123456789abcdef01234567"
TIME = "2026-11-23T19:00:00Z"


@dataclass(frozen=True)
class Request:
    """A request as received, with its JSON body or its parts if it is multipart."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    parts: list[dict[str, Any]] | None

    @property
    def short(self) -> str:
        path = self.path.removeprefix(f"/accounts/{ACCOUNT}").removeprefix(f"/zones/{ZONE}")
        return f"{self.method} {path}"


@dataclass
class World:
    """What exists on the fake Cloudflare."""

    databases: dict[str, dict[str, Any]] = field(default_factory=dict)
    scripts: dict[str, dict[str, Any]] = field(default_factory=dict)
    workflows: dict[str, dict[str, Any]] = field(default_factory=dict)
    subdomains: dict[str, dict[str, Any]] = field(default_factory=dict)
    schedules: dict[str, list[Any]] = field(default_factory=dict)
    routes: dict[str, dict[str, Any]] = field(default_factory=dict)
    domains: dict[str, dict[str, Any]] = field(default_factory=dict)

    def names(self) -> dict[str, list[str]]:
        return {
            "databases": sorted(database["name"] for database in self.databases.values()),
            "scripts": sorted(self.scripts),
            "workflows": sorted(self.workflows),
            "subdomains": sorted(self.subdomains),
            "schedules": sorted(name for name, crons in self.schedules.items() if crons),
        }


class RefusedError(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


Hook = Callable[[Request, str], str | None]
"""Is called with each request, and with "before" or "after" its execution. Returns None, "cut" to
close the connection, or the HTTP status to answer."""


class FakeCloudflare:
    def __init__(self) -> None:
        self.world = World()
        self.requests: list[Request] = []
        self.hook: Hook | None = None
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                outer._serve(self)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> "FakeCloudflare":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/client/v4"

    def list_writes(self) -> list[str]:
        return [request.short for request in self.requests if request.method != "GET"]

    def copy_world(self) -> World:
        with self._lock:
            return copy.deepcopy(self.world)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        request = _read_request(handler)
        with self._lock:
            self.requests.append(request)
        try:
            fault = self.hook(request, "before") if self.hook else None
            if fault is None:
                with self._lock:
                    status, envelope = self._respond(request)
                fault = self.hook(request, "after") if self.hook else None
            if fault == "cut":
                handler.close_connection = True
                handler.connection.close()
                return
            if fault is not None:
                status, envelope = int(fault), _error(10013, "an unknown error")
        except Exception as error:  # noqa: BLE001 -- the test sees it as an answer
            status, envelope = 500, _error(1, repr(error))
        raw = json.dumps(envelope).encode()
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(raw)))
            handler.end_headers()
            handler.wfile.write(raw)
        except OSError:
            pass  # the client was killed

    def _respond(self, request: Request) -> tuple[int, dict[str, Any]]:
        try:
            result = self._route(request)
        except RefusedError as error:
            return error.status, _error(error.code, str(error))
        return 200, {"success": True, "errors": [], "messages": [], "result": result}

    def _route(self, request: Request) -> Any:
        parts = request.path.strip("/").split("/")[2:]
        match parts:
            case ["d1", "database"]:
                return self._serve_databases(request)
            case ["d1", "database", uuid_]:
                return self._serve_database(request, uuid_)
            case ["workflows", name]:
                return self._serve_workflow(request, name)
            case ["workers", "routes" | "domains" as kind, *ids]:
                serve = self._serve_routes if kind == "routes" else self._serve_domains
                return serve(request, *ids)
            case ["workers", "scripts", name, part]:
                if name not in self.world.scripts:
                    raise RefusedError(404, 10007, "This Worker does not exist on your account.")
                return self._serve_script_part(request, name, part)
            case ["workers", "scripts", *names]:
                return self._serve_script(request, *names)
        raise RefusedError(404, 7003, f"No route for {request.path}")

    def _serve_databases(self, request: Request) -> Any:
        if request.method == "GET":
            wanted = request.query.get("name", [""])[0]
            return [row for row in self.world.databases.values() if wanted in row["name"]]
        name = request.body["name"]
        if any(row["name"] == name for row in self.world.databases.values()):
            raise RefusedError(400, 7502, f"A database with name {name} already exists")
        row = {"uuid": str(uuid.uuid4()), "name": name, "version": "production"}
        row |= {"created_at": TIME, "num_tables": 0, "file_size": 12288}
        row["read_replication"] = {"mode": "disabled"}
        self.world.databases[row["uuid"]] = row
        return row

    def _serve_database(self, request: Request, uuid_: str) -> Any:
        if uuid_ not in self.world.databases:
            raise RefusedError(404, 7404, "The database could not be found")
        if request.method == "DELETE":
            del self.world.databases[uuid_]
            return None
        if request.method == "PUT":
            self.world.databases[uuid_] |= request.body
        return self.world.databases[uuid_]

    def _serve_workflow(self, request: Request, name: str) -> Any:
        if request.method == "PUT":
            if request.body["script_name"] not in self.world.scripts:
                raise RefusedError(404, 10007, "workers.api.error.script_not_found")
            old = self.world.workflows.get(name, {"id": str(uuid.uuid4()), "created_on": TIME})
            new = {**old, **request.body, "name": name, "version_id": str(uuid.uuid4())}
            new |= {"modified_on": TIME, "triggered_on": None, "is_deleted": 0}
            self.world.workflows[name] = new
        elif name not in self.world.workflows:
            raise RefusedError(404, 10200, "workflow.not_found")
        elif request.method == "DELETE":
            del self.world.workflows[name]
            return {"status": "ok", "success": True}
        return self.world.workflows[name]

    def _serve_routes(self, request: Request, id_: str = "") -> Any:
        taken = {route["pattern"]: key for key, route in self.world.routes.items()}
        if request.method in ("POST", "PUT"):
            if taken.get(request.body["pattern"], id_) != id_:
                raise RefusedError(409, 10020, "A route with the same pattern already exists.")
            id_ = id_ or uuid.uuid4().hex
            self.world.routes[id_] = {"id": id_, **request.body}
        return _read_or_delete(self.world.routes, request, id_, 10009)

    def _serve_domains(self, request: Request, id_: str = "") -> Any:
        if request.method == "PUT":
            names = {domain["hostname"]: key for key, domain in self.world.domains.items()}
            id_ = names.get(request.body["hostname"]) or uuid.uuid4().hex
            computed = {"zone_name": "example.com", "cert_id": "c", "environment": "production"}
            self.world.domains[id_] = {"id": id_, **computed, **request.body}
        return _read_or_delete(self.world.domains, request, id_, 100114)

    def _serve_script(self, request: Request, name: str = "") -> Any:
        if not name:
            return [{"id": script} for script in self.world.scripts]
        if request.method == "PUT":
            assert request.parts is not None
            texts = {part["name"]: part["text"] for part in request.parts}
            metadata = json.loads(texts["metadata"])
            self._check_bindings(metadata["bindings"])
            self.world.scripts[name] = {"metadata": metadata, "module": request.parts[0]["text"]}
            result = {"id": name, "etag": uuid.uuid4().hex, "created_on": TIME}
            result |= {"modified_on": TIME, "has_assets": False, "has_modules": True}
            result |= {"handlers": ["fetch"], "named_handlers": [], "logpush": False}
            return result | {"usage_model": "standard", "startup_time_ms": 3}
        if name not in self.world.scripts:
            raise RefusedError(404, 10007, "This Worker does not exist on your account.")
        if request.query.get("force") != ["true"] and self._is_referenced(name):
            raise RefusedError(400, 10064, f"{name} is referenced by other Workers")
        del self.world.scripts[name]
        self.world.subdomains.pop(name, None)
        self.world.schedules.pop(name, None)
        return None

    def _check_bindings(self, bindings: list[dict[str, Any]]) -> None:
        for binding in bindings:
            if binding["type"] == "d1" and binding["id"] not in self.world.databases:
                raise RefusedError(400, 10181, f"D1 binding {binding['name']}: no such database")
            if binding["type"] == "service" and binding["service"] not in self.world.scripts:
                raise RefusedError(400, 10143, f"script {binding['service']!r} not found")

    def _is_referenced(self, name: str) -> bool:
        return any(
            name in (binding.get("service"), binding.get("script_name"))
            for script in self.world.scripts.values()
            for binding in script["metadata"]["bindings"]
        )

    def _serve_script_part(self, request: Request, name: str, part: str) -> Any:
        if part == "subdomain":
            if request.method == "POST":
                self.world.subdomains[name] = request.body
            if request.method == "DELETE":
                self.world.subdomains.pop(name, None)
                return {"enabled": False, "previews_enabled": False}
            return self.world.subdomains.get(name, {"enabled": False, "previews_enabled": False})
        if part == "schedules":
            if request.method == "PUT":
                self.world.schedules[name] = request.body
            crons = self.world.schedules.get(name, [])
            return {"schedules": [{**cron, "created_on": TIME} for cron in crons]}
        return self.world.scripts[name]["metadata"]


def _read_or_delete(
    things: dict[str, dict[str, Any]], request: Request, id_: str, code: int
) -> Any:
    if not id_:
        return list(things.values())
    if id_ not in things:
        raise RefusedError(404, code, "not found")
    return things.pop(id_) and None if request.method == "DELETE" else things[id_]


def _read_request(handler: BaseHTTPRequestHandler) -> Request:
    url = urlsplit(handler.path)
    raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    kind = handler.headers.get("Content-Type") or ""
    parts = _read_parts(kind, raw) if kind.startswith("multipart/") else None
    body = json.loads(raw) if raw and parts is None else None
    path = url.path.removeprefix("/client/v4")
    return Request(handler.command, path, parse_qs(url.query), body, parts)


def _read_parts(kind: str, raw: bytes) -> list[dict[str, Any]]:
    message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw)
    parts = []
    for part in message.get_payload():
        assert not isinstance(part, str)
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        parts.append(
            {
                "name": part.get_param("name", header="content-disposition"),
                "filename": part.get_filename(),
                "content_type": part.get_content_type(),
                "text": payload.decode(),
            }
        )
    return parts


def _error(code: int, message: str) -> dict[str, Any]:
    errors = [{"code": code, "message": message}]
    return {"success": False, "errors": errors, "messages": [], "result": None}
