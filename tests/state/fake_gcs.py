"""A bucket of Google Cloud Storage's XML API, as far as obstore asks it."""

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

_LISTED = """<Contents><Key>{}</Key><Size>{}</Size><ETag>"{}"</ETag>
<LastModified>2026-11-30T12:00:00.000Z</LastModified></Contents>"""


@dataclass
class Object:
    data: bytes
    generation: int
    token: str


@dataclass
class Bucket:
    """The objects by key; the bucket's name is `bucket`."""

    objects: dict[str, Object] = field(default_factory=dict)
    writes: int = 0
    address: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, key: str, data: bytes, condition: str | None, token: str) -> Object | None:
        """Write an object; None if its generation is not the one of the condition."""
        with self.lock:
            present = self.objects.get(key)
            if condition is not None and int(condition) != (present.generation if present else 0):
                return None
            self.writes += 1
            self.objects[key] = Object(data, self.writes, token)
            return self.objects[key]


class _Server(ThreadingHTTPServer):
    bucket: Bucket


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        source = self.headers.get("x-goog-copy-source")
        original = self._find(unquote(source).partition("bucket/")[2]) if source else None
        if self._key is None or (source and original is None):
            self._refuse_absent()
            return
        one = self.server.bucket.put(
            self._key,
            original.data if original else body,
            self.headers.get("x-goog-if-generation-match"),
            self.headers.get("x-goog-meta-write", ""),
        )
        if one is None:
            self._refuse(412, "PreconditionFailed")
        else:
            self._show(one)

    def do_GET(self) -> None:
        one = self._find(self._key or "")
        if one is not None:
            self._show(one, one.data)
        elif self._key == "":
            self._list(parse_qs(urlsplit(self.path).query).get("prefix", [""])[0])
        else:
            self._refuse_absent()

    def do_DELETE(self) -> None:
        if self.server.bucket.objects.pop(self._key or "", None) is None:
            self._refuse_absent()
        else:
            self._answer(204)

    @property
    def _key(self) -> str | None:
        """The key in the path; None for another bucket."""
        found = re.fullmatch(r"/bucket/?(.*)", unquote(urlsplit(self.path).path))
        return found.group(1) if found else None

    def _find(self, key: str) -> Object | None:
        return self.server.bucket.objects.get(key)

    def _list(self, prefix: str) -> None:
        items = "".join(
            _LISTED.format(name, len(one.data), one.generation)
            for name, one in sorted(self.server.bucket.objects.items())
            if name.startswith(prefix)
        )
        self._answer(200, f"<ListBucketResult>{items}</ListBucketResult>".encode())

    def _show(self, one: Object, body: bytes = b"") -> None:
        generation = str(one.generation)
        names = {"ETag": f'"{generation}"', "x-goog-generation": generation}
        names |= {"Last-Modified": "Mon, 30 Nov 2026 12:00:00 GMT", "x-goog-meta-write": one.token}
        self._answer(200, body, names)

    def _refuse_absent(self) -> None:
        self._refuse(404, "NoSuchBucket" if self._key is None else "NoSuchKey")

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code></Error>".encode())

    def _answer(self, status: int, body: bytes = b"", names: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(names or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serve_gcs() -> Iterator[Bucket]:
    """A server of one bucket for as long as the block."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.bucket = Bucket(address=f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.bucket
        finally:
            server.shutdown()
            thread.join()
