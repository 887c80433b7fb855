"""Serve the few routes of GitHub and GitLab that comments need, over real HTTP on localhost.

Written after docs.github.com/rest and docs.gitlab.com/api: pages with `Link` headers, statuses and
messages of errors, identities. Tests order faults in advance.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

BOT = "github-actions[bot]"
TOKEN = "ghs_canary0123456789"
A, B, C = ("a" * 40, "b" * 40, "c" * 40)
REPOSITORY = "acme/shop"


@dataclass
class Fault:
    """A response that goes wrong.

    With `after`, the request is processed first. A status of 0 closes the connection.
    """

    method: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    message: str = ""
    after: bool = False


@dataclass
class Answer:
    status: int
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Forge:
    """The state of the service, and the requests that it received."""

    def __init__(self) -> None:
        self.url = ""
        self.lock = threading.RLock()
        self.head = A
        self.pulls: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.identities = {TOKEN: BOT}
        self.may_write = True
        self.is_missing = False
        self.page = 100
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda method, path: None
        self._next = 1

    def say(self, author: str, body: str) -> int:
        """Add a comment by another user."""
        with self.lock:
            number = self._next
            self._next += 1
            self.comments.append({"id": number, "author": author, "body": body})
            return number

    def by(self, author: str = BOT) -> list[str]:
        """Return the texts of a user's comments, oldest first."""
        return [comment["body"] for comment in self.comments if comment["author"] == author]

    def count(self, method: str) -> int:
        return sum(asked == method for asked, _ in self.asked)

    def asked_for(self, method: str, path: str) -> Fault | None:
        """Log a request, and return the fault that a test ordered for it."""
        with self.lock:
            self.asked.append((method, path))
            fault = next((fault for fault in self.faults if fault.method == method), None)
            if fault:
                self.faults.remove(fault)
            return fault

    def answer(self, method: str, target: str, token: str, body: Any) -> Answer:
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        identity = self.identities.get(token)
        if identity is None:
            return Answer(401, {"message": "Bad credentials"})
        for pattern, route in ROUTES:
            found = re.fullmatch(pattern, unquote(parts.path))
            if found:
                return route(self, method, found.groupdict(), query | {"me": identity}, body)
        return Answer(404, {"message": "Not Found"})

    def answer_page(self, items: list[Any], path: str, query: dict[str, str]) -> Answer:
        size = min(self.page, int(query.get("per_page", "30")))
        page = int(query.get("page", "1"))
        headers = {}
        if page * size < len(items):
            rest = f"per_page={size}&page={page + 1}"
            headers["Link"] = f'<{self.url}{path}?{rest}>; rel="next", <x>; rel="last"'
        return Answer(200, items[(page - 1) * size : page * size], headers)


def _graphql(forge: Forge, method: str, _: Any, query: Any, body: Any) -> Answer:
    assert method == "POST"
    assert "viewer" in body["query"]
    return Answer(200, {"data": {"viewer": {"login": query["me"]}}})


def _user(_: Forge, __: str, ___: Any, query: Any, ____: Any) -> Answer:
    return Answer(200, {"id": number_of(query["me"]), "username": query["me"]})


def _pull(forge: Forge, _: str, names: Any, query: Any, __: Any) -> Answer:
    if forge.is_missing or names["number"] != "7":
        return Answer(404, {"message": "Not Found"})
    page = f"{forge.url}/merge_requests/7"
    return Answer(
        200, {"number": 7, "head": {"sha": forge.head}, "sha": forge.head, "web_url": page}
    )


def _pulls(forge: Forge, _: str, names: Any, query: Any, __: Any) -> Answer:
    owner, _, branch = query["head"].partition(":")
    found = [
        pull
        for pull in forge.pulls
        if pull["head"]["ref"] == branch and pull["head"]["repo"]["full_name"].startswith(owner)
    ]
    return forge.answer_page(found, f"/repos/{names['repo']}/pulls", query)


def _comments(forge: Forge, method: str, names: Any, query: Any, body: Any) -> Answer:
    with forge.lock:
        if forge.is_missing:
            return Answer(404, {"message": "Not Found"})
        if method == "POST":
            refused = _find_refusal(forge, body)
            number = 0 if refused else forge.say(query["me"], body["body"])
            return refused or Answer(201, _show(forge, number))
        items = [_show(forge, comment["id"]) for comment in forge.comments]
        return forge.answer_page(items, names["path"], query)


def _comment(forge: Forge, method: str, names: Any, query: Any, body: Any) -> Answer:
    with forge.lock:
        found = [comment for comment in forge.comments if comment["id"] == int(names["id"])]
        if not found:
            return Answer(404, {"message": "Not Found"})
        refused = _find_refusal(forge, body)
        if refused or found[0]["author"] != query["me"]:
            return refused or Answer(403, {"message": "Resource not accessible by integration"})
        if method == "DELETE":
            forge.comments.remove(found[0])
            return Answer(204)
        assert method in ("PATCH", "PUT")
        found[0]["body"] = body["body"]
        return Answer(200, _show(forge, found[0]["id"]))


def _find_refusal(forge: Forge, body: Any) -> Answer | None:
    if not forge.may_write:
        return Answer(403, {"message": "Resource not accessible by integration"})
    if body and len(body["body"]) > 65_536:
        return Answer(422, {"message": "Validation Failed", "errors": ["body is too long"]})
    return None


def _show(forge: Forge, number: int) -> dict[str, Any]:
    comment = next(comment for comment in forge.comments if comment["id"] == number)
    return {
        "id": number,
        "body": comment["body"],
        "user": {"login": comment["author"]},
        "author": {"id": number_of(comment["author"])},
        "system": comment.get("system", False),
        "html_url": f"{forge.url}/comment/{number}",
    }


def number_of(login: str) -> int:
    """Return GitLab's number for a user."""
    return sum(login.encode())


_REPO = r"/repos/(?P<repo>[^/]+/[^/]+)"
_MR = r"/projects/(?P<repo>.+)/merge_requests/(?P<number>\d+)"
ROUTES = [
    (r"(/api)?/graphql", _graphql),
    (r"/user", _user),
    (rf"{_REPO}/pulls", _pulls),
    (rf"{_REPO}/pulls/(?P<number>\d+)", _pull),
    (rf"(?P<path>{_REPO}/issues/7/comments)", _comments),
    (rf"{_REPO}/issues/comments/(?P<id>\d+)", _comment),
    (_MR, _pull),
    (rf"(?P<path>{_MR}/notes)", _comments),
    (rf"{_MR}/notes/(?P<id>\d+)", _comment),
]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    forge: Forge


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def respond(self) -> None:
        forge = self.server.forge
        length = int(self.headers.get("content-length", "0"))
        body = json.loads(self.rfile.read(length)) if length else None
        forge.before(self.command, self.path)
        fault = forge.asked_for(self.command, self.path)
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        done = None
        if fault is None or fault.after:
            done = forge.answer(self.command, self.path, token, body)
        if fault and not fault.status:
            self.close_connection = True
            return
        if fault:
            done = Answer(fault.status, {"message": fault.message}, fault.headers)
        assert done is not None
        self._write(done)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = respond  # noqa: N815 -- the base's names

    def _write(self, answer: Answer) -> None:
        text = b"" if answer.value is None else json.dumps(answer.value).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words: object) -> None:
        """Says nothing."""


@contextmanager
def serving() -> Iterator[Forge]:
    """Serve on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.forge = Forge()
    server.forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
