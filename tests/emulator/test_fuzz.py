"""Hostile requests to every operation: no bare 500, no dead runtime, no growth of memory."""

import json
import os
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flowflare.emulator.requests import API
from tests.docs.generate_emulator_coverage import Operation, emulator_operations, sdk_operations
from tests.emulator.emulated import ESM, Account, durable_object, get, new_sqlite, upload
from tests.support.sdk_shapes import TEXTS, shape

pytestmark = [pytest.mark.workerd, pytest.mark.no_cover]

SOURCE = """
import { DurableObject, WorkflowEntrypoint } from 'cloudflare:workers';
export class Counter extends DurableObject {}
export class Flow extends WorkflowEntrypoint { async run() { return 1; } }
export default { fetch: () => new Response('hello'), queue() {} };
"""
MODULE = (
    '--x\r\nContent-Disposition: form-data; name="worker.js"; filename="worker.js"\r\n'
    f"Content-Type: {ESM}\r\n\r\n{SOURCE}\r\n"
)
RAW_BODIES = (
    *(b"", b"{", b"null", b"[]", b'"a"', b"NaN", b"1e999", b"\xff\xfe", b'{"a": "\\ud800"}'),
    *(b"[" * 5_000, b"\x00", b'{"a":' * 200 + b"1" + b"}" * 200, b'{"a": ' + b"9" * 5_000 + b"}"),
    *(b'{"sql": "SELECT 1", "params": [1e999]}', b'{"a": 1, "a": 2}', "{}".encode("utf-16")),
    *(b"--x\r\n", b"--x--\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n"),
    b'--x\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"main_module": 1}\r\n',
)
TYPES = (
    *("application/json", "text/plain", "multipart/form-data; boundary=x", "multipart/form-data"),
    *(
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "",
        "application/json; charset=utf-16",
    ),
    *(
        "application/javascript",
        "application/json; charset=nothing",
        "multipart/form-data; boundary=\xe9",
    ),
)
EXTRA = (
    ("Content-Encoding", "gzip"),
    ("Content-Type", "text/html"),
    ("X-Auth-Key", "\xff"),
    ("Range", "bytes=9-1"),
    ("If-None-Match", "*"),
    ("CF-WORKER-BODY-PART", "../x"),
    ("CF-WORKER-MAIN-MODULE-PART", "worker.js"),
    ("cf-r2-storage-class", "Nothing"),
    ("cf-r2-jurisdiction", "eu"),
    ("Expect", "100-continue"),
    ("Cookie", "a" * 8_000),
)
#: Operations whose answer is not the envelope: what they store, as it was stored, or GraphQL's own.
METHODS = ("HEAD", "OPTIONS", "PATCH", "TRACE", "get", "X", "DELETE", "PUT")
PAGING = ("page", "per_page", "limit", "cursor", "order", "direction", "a")
AROUND = (
    "PATH/",
    "/PATH",
    "PATH//",
    "PATH/..",
    "PATH/../",
    "PATH%00",
    "PATH;a",
    "/.PATH",
    "PATH%2F",
)
GROWTH = 60_000_000
OTHER_FORMS = re.compile(r"/content/v2$|/values/|/objects/|^/graphql$|/scripts/[^/]*$|instances/$")
#: Statuses of the reference; 500 is a fault of the emulator.
STATUSES = {
    200,
    201,
    202,
    204,
    304,
    400,
    401,
    403,
    404,
    405,
    409,
    410,
    412,
    413,
    415,
    416,
    422,
    501,
    503,
}


@dataclass(frozen=True)
class Sent:
    """A request as it is sent, and the operation that it is made from."""

    operation: Operation
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = field(default=b"", repr=True)
    unknown: bool = False


@dataclass(frozen=True, repr=False)
class World:
    """Operations, and what exists in the account by the part of a path before its parameter."""

    account: Account
    served: list[Operation]
    others: list[Operation]
    names: dict[str, str]


def make_world(account: Account, data: Path) -> World:
    """Create one object of each kind."""
    served = sorted(emulator_operations(data), key=str)
    others = sorted(sdk_operations().keys() - set(served), key=str)
    names = {"accounts": account.id, "zones": account.id[::-1]}
    world = World(account, served, others, names)
    refill(world)
    return world


def refill(world: World) -> None:
    """Create again what requests have deleted or disabled; keep what is still there."""
    account = world.account

    def make(part: str, key: str, method: str, path: str, **body: Any) -> None:
        response = account.http.request(method, path, json=body)
        if response.status_code == 200:
            world.names[part] = response.json()["result"][key]

    bindings = [durable_object("COUNTER", "Counter")]
    first = account.http.put(
        "/workers/scripts/app",
        files=upload(SOURCE, bindings=bindings, migrations=new_sqlite("Counter")),
    )
    if first.status_code != 200:
        account.http.put("/workers/scripts/app", files=upload(SOURCE, bindings=bindings))
    world.names.update({"scripts": "app", "services": "app", "buckets": "box", "indexes": "index"})
    world.names.update({"workflows": "flow", "values": "key", "objects": "key", "metadata": "key"})
    make("database", "uuid", "POST", "/d1/database", name="db")
    make("queues", "queue_id", "POST", "/queues", queue_name="queue")
    make("namespaces", "id", "POST", "/storage/kv/namespaces", title="kv")
    make("stores", "id", "POST", "/secrets_store/stores", name="store")
    make("buckets", "name", "POST", "/r2/buckets", name="box")
    make("workers", "id", "POST", "/workers/workers", name="worker")
    make("workflows", "name", "PUT", "/workflows/flow", script_name="app", class_name="Flow")
    make("instances", "id", "POST", "/workflows/flow/instances")
    make("tails", "id", "POST", "/workers/scripts/app/tails")
    account.http.put(
        "/workers/scripts/app/secrets", json={"name": "S", "text": "s", "type": "secret_text"}
    )
    world.names["secrets"] = "S"
    kv = f"/storage/kv/namespaces/{world.names['namespaces']}/values/key"
    account.http.put(kv, content=b"value")
    account.http.put("/r2/buckets/box/objects/key", content=b"value")
    for part in ("versions", "deployments"):
        response = account.http.get(f"/workers/scripts/app/{part}")
        items = (response.json()["result"] or {}) if response.status_code == 200 else {}
        for item in (items.get("items") or items.get("deployments") or [])[:1]:
            world.names[part] = item["id"]


@st.composite
def hostile_requests(draw: Any, world: World) -> Sent:
    """Draw a request: most to operations that are served, some to others of the SDK."""
    is_other = draw(st.integers(0, 9)) == 9
    operation = draw(st.sampled_from(world.others if is_other else world.served))
    values = draw(shape(operation.method, operation.path))
    path, unknown = _draw_path(draw, operation.path, world)
    usual = draw(st.integers(0, 9)) < 9
    method = operation.method if usual else draw(st.sampled_from(METHODS))
    query = draw(st.dictionaries(st.sampled_from(PAGING), st.sampled_from(TEXTS), max_size=2))
    content, kind, form = b"", draw(st.sampled_from(TYPES)), draw(st.integers(0, 9))
    if operation.method in ("GET", "DELETE") and isinstance(values, dict):
        query |= values
    elif form == 0:
        content = draw(st.sampled_from(RAW_BODIES))
    elif form <= 2:
        content, kind = _multipart(values), "multipart/form-data; boundary=x"
    else:
        content, kind = _json(values), kind if form == 3 else "application/json"
    if query:
        pairs = {_bytes(key): _bytes(str(value)) for key, value in query.items()}
        path += "?" + urlencode(pairs)
    extra = draw(st.lists(st.sampled_from(EXTRA), max_size=1)) if form == 9 else []
    return Sent(operation, method, path[:7_000], (("Content-Type", kind), *extra), content, unknown)


def _draw_path(draw: Any, pattern: str, world: World) -> tuple[str, bool]:
    """Draw a path, and whether a parameter names something that does not exist."""
    parts, unknown, before = [""], False, ""
    for word in pattern.split("/")[1:]:
        known = world.names.get(before, "")
        part = known if word == "{}" else word
        if word == "{}" and (not known or (before != "accounts" and draw(st.integers(0, 3)) == 3)):
            text = draw(st.sampled_from(TEXTS))
            part = quote(_bytes(text), safe=draw(st.sampled_from(("", "/%.*"))))
            unknown = True
        parts.append(part)
        before = parts[-1]
    path = "/".join(parts)
    usual = draw(st.integers(0, 9)) < 9
    return (path if usual else draw(st.sampled_from(AROUND)).replace("PATH", path)), unknown


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _json(values: Any) -> bytes:
    return json.dumps(values).encode()


def _multipart(values: Any) -> bytes:
    """Encode a mapping as SDKs do: a part for each field, JSON for those that are not text."""
    parts = b""
    fields = dict(values) if isinstance(values, dict) else {"metadata": values}
    if isinstance(fields.get("metadata"), dict) and "main_module" in fields["metadata"]:
        fields["metadata"] = {**fields["metadata"], "main_module": "worker.js"}
        parts = _bytes(MODULE)
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        named = name.replace("\r", "").replace("\n", "")
        head = f'--x\r\nContent-Disposition: form-data; name="{named}"; filename="{named}"\r\n\r\n'
        parts += _bytes(head + text + "\r\n")
    return parts + b"--x--\r\n"


def ask(client: httpx.Client, world: World, sent: Sent) -> httpx.Response:
    """Send a request as it was drawn: httpx does not normalize a raw target."""
    headers = [(name, value.encode("latin-1")) for name, value in sent.headers]
    request = client.build_request(
        sent.method,
        world.account.running.base_url,
        headers=headers,
        content=sent.content,
        extensions={"target": f"{API}{sent.target}".encode()},
    )
    return client.send(request)


def check(sent: Sent, response: httpx.Response, world: World) -> None:
    """Check that an answer is one of the documented forms."""
    status = response.status_code
    assert status in STATUSES, (status, response.text[:500])
    if status == 204 or sent.method == "HEAD":
        return
    if status == 200 and OTHER_FORMS.search(sent.target.partition("?")[0]):
        return
    body = response.json()
    # Some deletions answer without a result, as Cloudflare's do.
    least = {"success", "errors", "messages"} | (set() if status == 200 else {"result"})
    assert least <= body.keys(), body
    assert body["success"] is (status < 400), body
    assert body["success"] or body["errors"], body
    for problem in body["errors"]:
        assert type(problem["code"]) is int, body
        assert problem["message"], body
    if sent.operation in world.others and sent.method == sent.operation.method:
        assert status != 200 or sent.unknown, body


@pytest.mark.parametrize(
    "requests", [300, pytest.param(20_000, marks=[pytest.mark.long, pytest.mark.timeout(3_000)])]
)
def test_no_request_breaks_the_emulator(account: Account, tmp_path: Path, requests: int) -> None:
    world = make_world(account, tmp_path)
    memory: list[dict[str, int]] = []
    statuses: Counter[int] = Counter()

    with httpx.Client(headers=account.http.headers, timeout=60) as client:

        @settings(
            max_examples=requests,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(sent=hostile_requests(world))
        def send(sent: Sent) -> None:
            response = ask(client, world, sent)
            statuses[response.status_code] += 1
            if statuses.total() % 250 == 0:
                refill(world)
                memory.append(measure_memory(account.running.pid))
            check(sent, response, world)

        send()
    for name, size in memory[-1].items():
        assert size - memory[len(memory) // 2].get(name, size) < GROWTH, (name, memory)
    assert account.control("GET", "/health")["crashes"] == 0
    # A request may have disabled or deleted `app`.
    account.put("after")
    assert get(account.enable("after")).text == "hello"


def measure_memory(emulator: int) -> dict[str, int]:
    """Return the memory of the emulator, Node, and the largest workerd, in bytes."""
    found: dict[str, int] = {}
    pids = [emulator]
    for pid in pids:
        with suppress(OSError):
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            found[name] = max(found.get(name, 0), pages * os.sysconf("SC_PAGE_SIZE"))
            for task in Path(f"/proc/{pid}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
    return found
