"""A registry of npm packages on loopback, for projects whose packages a test writes."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


class Registry:
    """Packages by name and version; npm asks for them over HTTP."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._tarballs: dict[str, bytes] = {}
        self._versions: dict[str, dict[str, Any]] = {}
        self.url = ""

    def publish(self, name: str, version: str, code: str) -> None:
        manifest = {"name": name, "version": version, "type": "module", "main": "index.js"}
        data = pack({"package.json": json.dumps(manifest), "index.js": code})
        path = f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        self._tarballs[path] = data
        digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
        found = manifest | {"dist": {"tarball": path, "integrity": f"sha512-{digest}"}}
        self._versions.setdefault(name, {})[version] = found

    def lock(self, members: Mapping[str, Any] | None = None, **versions: str) -> str:
        """Write a lock file of a project that depends on exactly these versions.

        Args:
            members: more entries: local packages by path.
            versions: the packages' versions.
        """
        packages: dict[str, Any] = {"": {"dependencies": versions}, **(members or {})}
        for name, version in versions.items():
            integrity = self._versions[name][version]["dist"]["integrity"]
            packages[f"node_modules/{name}"] = {"version": version, "integrity": integrity}
        return json.dumps({"lockfileVersion": 3, "requires": True, "packages": packages})

    def answer(self, path: str) -> bytes | None:
        self.asked.append(path)
        if path in self._tarballs:
            return self._tarballs[path]
        name = path.removeprefix("/").replace("%2f", "/")
        if name not in self._versions:
            return None
        versions = {
            version: found
            | {"dist": found["dist"] | {"tarball": self.url + found["dist"]["tarball"]}}
            for version, found in self._versions[name].items()
        }
        return json.dumps({"name": name, "versions": versions, "dist-tags": {}}).encode()


def pack(files: Mapping[str, str]) -> bytes:
    """Pack the files of a package as npm does, always in the same bytes."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(raw.getvalue(), mtime=0)


@contextmanager
def serve(registry: Registry) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = registry.answer(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(found or b"{}")

        def log_message(self, *args: Any) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Serve a registry, and let npm and flowflare use it and an empty cache."""
    made = Registry()
    made.publish("greeter", "1.0.0", 'export const say = (name) => "Hello " + name;\n')
    made.publish("greeter", "2.0.0", 'export const say = (name) => "Welcome " + name;\n')
    with serve(made):
        monkeypatch.setenv("npm_config_registry", made.url)
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        yield made
