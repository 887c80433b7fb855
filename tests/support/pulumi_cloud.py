"""The part of Pulumi Cloud's HTTP API that `pulumi stack export` calls, on loopback.

It has one user, `ann`, and the deployments that a test puts into it. Secrets are encoded and not
encrypted: the CLI sends each of them to be decrypted, as it does with Pulumi Cloud.
"""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flowflare.values.wire import SECRET, SIGNATURE

USER = "ann"
TOKEN = "pul-stand-in"


class PulumiCloud:
    """The deployments of `ann`, and the requests so far."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._deployments: dict[str, dict[str, Any]] = {}

    def put(self, project: str, stack: str, exported: dict[str, Any]) -> None:
        """Store what `pulumi stack export --show-secrets` printed."""
        deployment = _seal(exported["deployment"])
        owner = {"owner": USER, "project": project, "stack": stack}
        state = {"url": self.url, **owner}
        deployment["secrets_providers"] = {"type": "service", "state": state}
        path = f"/api/stacks/{USER}/{project}/{stack}"
        self._deployments[path] = {"version": exported["version"], "deployment": deployment}

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Answer a request with a JSON object; None if it does not exist."""
        fixed = {
            "/api/user": {"githubLogin": USER, "name": USER, "organizations": []},
            "/api/user/organizations/default": {"gitHubLogin": USER},
            "/api/capabilities": {"capabilities": []},
        }
        if path in self._deployments:
            names = zip(("orgName", "projectName", "stackName"), path.split("/")[3:], strict=True)
            return {**dict(names), "version": 1, "tags": {}}
        stack, _, operation = path.rpartition("/")
        if stack not in self._deployments:
            return fixed.get(path)
        operations: dict[str, Any] = {
            "export": self._deployments[stack],
            "decrypt": {"plaintext": body.get("ciphertext")},
            "batch-decrypt": {"plaintexts": {text: text for text in body.get("ciphertexts", ())}},
        }
        return operations.get(operation)


def _seal(value: Any) -> Any:
    if isinstance(value, list):
        return [_seal(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET:
        sealed = base64.b64encode(value["plaintext"].encode()).decode()
        return {SIGNATURE: SECRET, "ciphertext": sealed}
    return {key: _seal(item) for key, item in value.items()}


@contextmanager
def run_pulumi_cloud() -> Iterator[PulumiCloud]:
    """Serve an empty Pulumi Cloud."""
    cloud = PulumiCloud()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            cloud.asked.append(path)
            data = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.headers["Content-Encoding"] == "gzip":
                data = gzip.decompress(data)
            answer = cloud.answer(path, json.loads(data or "{}"))
            if self.headers["Authorization"] != f"token {TOKEN}":
                self._send(401, {"code": 401, "message": "Unauthorized"})
            elif answer is None:
                self._send(404, {"code": 404, "message": f"Not Found: {path}"})
            else:
                self._send(200, answer)

        do_POST = do_GET  # noqa: N815 -- as the standard library spells it

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its own name
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        cloud.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield cloud
        finally:
            server.shutdown()
