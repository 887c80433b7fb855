"""A bucket behind a wire that can be cut: moto's server over HTTP, and a proxy in front of it."""

import contextlib
import logging
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from flowflare.state.backends.objects import ObjectStore, Timeouts
from flowflare.state.backends.s3 import open_bucket

#: Cut before the store hears of it; after it has done it; in the middle of its answer; or it says
#: that it is too busy, as S3 does or as R2; or something on the way sends it twice.
Trouble = Literal["unheard", "answer-lost", "answer-torn", "busy", "too-many", "twice"]
_EMPTY = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
REFUSALS = {
    "busy": b"HTTP/1.1 503 Slow Down\r\n" + _EMPTY,
    "too-many": b"HTTP/1.1 429 Too Many Requests\r\n" + _EMPTY,
}
KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "canary-secret-key",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def _no_wait(seconds: float) -> None:
    del seconds


@dataclass
class Wire:
    """The proxy: what goes through it, and what is to happen to it."""

    upstream: tuple[str, int]
    port: int = 0
    requests: list[str] = field(default_factory=list)
    # The access key that signed each request.
    signers: list[str] = field(default_factory=list)
    troubles: list[tuple[str, Trouble]] = field(default_factory=list)
    # moto looks at a condition and writes in two steps; a real store does it in one.
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def trouble(self, line: str, *kinds: Trouble) -> None:
        """What happens to the next requests whose method and path contain a text.

        A space after the path ends it.
        """
        self.troubles += [(line, kind) for kind in kinds]

    def url(self, bucket: str, **options: str) -> str:
        given = {"endpoint": f"127.0.0.1:{self.port}", "disableSSL": "true", "region": "us-east-1"}
        words = {**given, "s3ForcePathStyle": "true", **options}
        return f"s3://{bucket}?" + "&".join(f"{key}={value}" for key, value in words.items())

    def store(self, bucket: str, pauses: int = 2) -> ObjectStore:
        """A store that loses no time with waiting."""
        patience = Timeouts(pauses=(0.0,) * pauses, sleep=_no_wait)
        return open_bucket(self.url(bucket), KEYS, patience=patience)

    def serve(self, client: socket.socket) -> None:
        reader = client.makefile("rb")
        head = []
        while (line := reader.readline()) not in (b"\r\n", b""):
            head.append(line)
        if not head:
            return
        first = head[0].decode().strip().rpartition(" ")[0]
        self.requests.append(first)
        names = {line.partition(b":")[0].lower(): line for line in head[1:]}
        if names.pop(b"expect", None):
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        signer = names.get(b"authorization", b"").partition(b"Credential=")[2]
        self.signers.append(signer.partition(b"/")[0].decode())
        length = int(names.get(b"content-length", b":0").partition(b":")[2])
        body = reader.read(length)
        trouble = self._next(first)
        if trouble in REFUSALS or trouble == "unheard":
            client.sendall(REFUSALS.get(trouble, b""))
            return
        with self.one_at_a_time:
            answer = self._forward(head[0], names, body)
            if trouble == "twice":
                answer = self._forward(head[0], names, body)
        if trouble == "answer-torn":
            client.sendall(answer[: answer.index(b"\r\n\r\n") + 5])
        elif trouble in (None, "twice"):
            client.sendall(answer)

    def _forward(self, first: bytes, names: dict[bytes, bytes], body: bytes) -> bytes:
        names.pop(b"connection", None)
        with socket.create_connection(self.upstream, 10) as upstream:
            upstream.sendall(b"".join([first, *names.values(), b"Connection: close\r\n\r\n", body]))
            parts = []
            while part := upstream.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def _next(self, first: str) -> Trouble | None:
        for index, (line, kind) in enumerate(self.troubles):
            if line in f"{first} ":
                del self.troubles[index]
                return kind
        return None


@contextlib.contextmanager
def serve_wire() -> Iterator[Wire]:
    """moto's server and the proxy for as long as the block."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    wire = Wire(moto.get_host_and_port())

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):
                wire.serve(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    try:
        with Server(("127.0.0.1", 0), Handler) as server:
            wire.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield wire
            finally:
                server.shutdown()
                thread.join()
    finally:
        moto.stop()
