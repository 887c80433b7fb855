"""Hostile requests, from which the fuzz tests draw.

Bodies are built from the fields that a route really reads, since garbage alone never gets past the
first check: some fields hold something hostile, others are added, and the text that comes of it may
be cut, repeated or encoded in another way.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.worker.worker_calls import KEY

#: Replaced by the run that no request may change; values made from it never name it exactly.
INNOCENT = "fuzz-innocent"

SQL = [
    f"{INNOCENT}' --",
    f"x' OR id = '{INNOCENT}",
    "'; DROP TABLE workflow_runs; --",
    f"status = 'Errored' WHERE id = '{INNOCENT}' --",
    "id\" = ?1 OR 1=1; UPDATE workflow_runs SET status = 'Errored'; --",
    "x') UNION SELECT name FROM sqlite_master --",
    "status = 'Errored', metadata = (SELECT group_concat(name) FROM sqlite_master) --",
]
PROTOTYPES = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "then",
    "toJSON",
]
TEXTS = [
    *SQL,
    *PROTOTYPES,
    *[f"{INNOCENT} ", f" {INNOCENT}", f"{INNOCENT}\0", INNOCENT.upper(), f"{INNOCENT}%00"],
    *["", " ", "\0", "\x7f", "null", "undefined", "NaN", "true", "[object Object]", "${7*7}"],
    *["DB", "db", "service_api_key", "WORKFLOW_TRACKER", "some-service", "../../etc/passwd"],
    *["%s%n", "<script>", "\u2028", "\ufeff", "\u202e", "\U0001f600", "e\u0301", "ß", "\uffff"],
    *["2026-13-45", "0000-00-00T00:00:00Z", "275760-09-13T00:00:00.001Z", "-000001-01-01"],
    *["eyJ4Ijo", "a" * 257, "%" * 101, "_" * 60, "x" * 9000],
]
#: JSON that no Python value produces.
RAW = [
    *["1e999", "-1e999", "1" * 400, "-0", "1e-400", "9007199254740993", "18446744073709551616"],
    *['"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', "[" * 60 + "]" * 60],
    *['{"a":' * 63 + "1" + "}" * 63, "[" * 20_000, '{"__proto__":{"status":"Errored"}}'],
    *["NaN", "Infinity", "undefined", "01", "'x'", '"\\x41"', '{"a":1,}', '{"a":1,"a":2}', "/**/1"],
]


@dataclass(frozen=True)
class Raw:
    """A placeholder in a body that is replaced by this text, JSON or not."""

    text: str


@dataclass(frozen=True, repr=False)
class Hostile:
    """A request as it is sent."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    content: bytes

    def __repr__(self) -> str:
        return f"{self.method} {self.path} {self.headers} {self.content[:2000]!r}"

    def has_key(self) -> bool:
        """Return whether one of its headers is a valid key."""
        valid = {("X-API-Key", KEY), ("Authorization", f"Bearer {KEY}")}
        return any(header in valid for header in self.headers)


def encode(value: Any) -> str:
    """Write the value as JSON; dictionaries may repeat a key, as lists of pairs in a tuple."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value)


NUMBERS = [-1, 0, 1, 2, 1.5, -0.0, 10**9, 2**31, 2**53, -(2**63), 10**21, 1e308, 5e-324, 2.5e14]
NESTED = [
    *[
        [],
        {},
        [[]],
        [{}],
        [None],
        {"": None},
        {"a": {"b": [1, "x", None]}},
        [0] * 200,
        ["steps"] * 50,
    ],
    *[{name: "x"} for name in SQL + PROTOTYPES],
    *[{name: {"status": "Errored"}} for name in PROTOTYPES],
    {f"key{number}": number for number in range(11)},
]
RARE = st.sampled_from([False] * 15 + [True])
# Drawing one choice among many is far faster than drawing from a tree of choices.
KEYS = st.sampled_from([*SQL, *PROTOTYPES, "", "\0", "id", "success", "x" * 300, "\ud800"])
VALUES = st.sampled_from(
    [None, True, False, *NUMBERS * 2, *TEXTS, *NESTED, *[Raw(text) for text in RAW * 2]]
) | st.text(max_size=6)


def seeds(path: str) -> list[dict[str, Any]]:
    """Return bodies that the route would accept; an update's are one level down."""
    run, place = "fuzzed", {"workflow_run_id": "fuzzed", "step_index": 1, "step_name": "one"}
    updates = [
        {"type": "run_update", "run_update": {"id": run, "status": "Running"}},
        {"type": "step_update", "step_update": {**place, "status": "Running"}},
        {"type": "retry_update", "retry_update": {**place, "retry_count": 1}},
    ]
    if path.endswith("update"):
        return [*updates, {"updates": updates}]
    if path.endswith("start-workflow"):
        return [{"workflowType": "fuzzed", "params": {"n": 1}, "ref_id": "7"}]
    if path.endswith("get-workflow"):
        return [{"workflowId": run}]
    lists = [{"ref_id": "7", "limit": 5}, {"ref_id": "7", "metadata": {"by": "ann"}}]
    return [*lists * 2, *({"ref_id": "7", "cursor": cursor} for cursor in CURSORS)]


#: Cursors that no service returned: [], null, [null,null], [["a"],{}], [1,2] and ["","\\ud800"].
CURSORS = ["W10", "bnVsbA", "W251bGwsbnVsbF0", "W1siYSJdLHt9XQ", "WzEsMl0", "WyIiLCJcdWQ4MDAiXQ"]


@st.composite
def change_fields(draw: st.DrawFn, body: Any, names: Sequence[str]) -> Any:
    """Draw a body with hostile values in some fields, and hostile fields beside them."""
    if isinstance(body, list):
        return [draw(change_fields(item, names)) for item in body] * draw(
            st.sampled_from([1, 1, 40])
        )
    if not isinstance(body, dict):
        return body
    inner = [name for name, value in body.items() if isinstance(value, dict | list)]
    result = dict(body)
    if inner and draw(st.sampled_from([True, True, False])):
        name = draw(st.sampled_from(inner))
        result[name] = draw(change_fields(body[name], names))
        if draw(RARE):
            result[draw(KEYS)] = draw(VALUES)
        return result
    fields = st.sampled_from([*names, *body])
    for _ in range(draw(st.integers(1, 3))):
        result[draw(KEYS if draw(RARE) else fields)] = draw(VALUES)
    return result


@st.composite
def bodies(draw: st.DrawFn, path: str, names: Sequence[str]) -> bytes:
    """Draw a body's bytes, mostly in UTF-8."""
    kind = draw(st.sampled_from(["as it is"] * 27 + KINDS))
    if kind == "bytes":
        return draw(st.binary(max_size=40))
    if kind == "value":
        return encode(draw(VALUES)).encode()
    text = encode(draw(change_fields(draw(st.sampled_from(seeds(path))), names)))
    if kind == "encoding":
        return text.encode(draw(st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "utf-7"])))
    if kind == "cut":
        return text.encode()[: draw(st.integers(0, 60))]
    if kind == "bad UTF-8":
        bad = draw(st.sampled_from([b"\xff", b"\xc0\x80", b'"\xed\xa0']))
        return text.encode().replace(b'"', bad, 1)
    return text.encode()


KINDS = ["bytes", "value", "encoding", "cut", "bad UTF-8"]
METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "POST"]
MEDIA = [
    *["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
    *[
        "application/json; charset=utf-16",
        "application/json;",
        "APPLICATION/JSON",
        "application/jsonx",
    ],
]
#: Headers without a valid key, beside one with a valid key in the wrong place.
NO_KEYS = [
    *[(), (("X-API-Key", ""),), (("X-API-Key", KEY.upper()),), (("X-API-Key", f"{KEY}, {KEY}"),)],
    *[(("Authorization", KEY),), (("Authorization", f"Basic {KEY}"),), (("Cookie", f"key={KEY}"),)],
    *[(("X-API-Key", "undefined"),), (("Authorization", "Bearer  "),), (("X-API-Key", "ff\xe9"),)],
]
WITH_KEY = [(("X-API-Key", KEY),), (("Authorization", f"Bearer {KEY}"),)]
MORE = [
    *[("Origin", "https://evil.example"), ("Origin", "null"), ("Idempotency-Key", "k" * 300)],
    *[("Idempotency-Key", "' OR 1=1 --"), ("X-HTTP-Method-Override", "DELETE"), ("CF-Ray", "<b>")],
    *[("Content-Encoding", "gzip"), ("Expect", "x"), ("Upgrade", "websocket"), ("Upgrade", "h2c")],
]


@st.composite
def requests(draw: st.DrawFn, path: str, names: Sequence[str]) -> Hostile:
    """Draw a request to the route. Most have a key, the right method and type, to get further."""
    method = draw(st.sampled_from(METHODS)) if draw(RARE) else "POST"
    media = draw(st.sampled_from(MEDIA)) if draw(RARE) else "application/json"
    key = draw(st.sampled_from(NO_KEYS if draw(RARE) else WITH_KEY))
    more = draw(st.lists(st.sampled_from(MORE), max_size=2)) if draw(RARE) else []
    suffix = (
        draw(st.sampled_from(["?", "?id=1", "//", "/", "%2e", "%00", "#"])) if draw(RARE) else ""
    )
    headers = (("Content-Type", media), *key, *more)
    return Hostile(method, path + suffix, headers, draw(bodies(path, names)))


@st.composite
def messages(draw: st.DrawFn, names: Sequence[str]) -> list[str | bytes]:
    """Draw a few messages of a watcher, one after another."""
    told: list[str | bytes] = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["query", "subscribe", "resume", "other", "bytes", "long"]))
        if kind == "bytes":
            told.append(draw(st.binary(max_size=20)))
        elif kind == "long":
            told.append("[" * draw(st.sampled_from([10_000, 20_000])))
        else:
            params = draw(change_fields({"limit": 5, "seq": 1, "type": kind}, names))
            told.append(encode(draw(change_fields({"type": kind, "params": params}, names))))
    return told


@st.composite
def updates(draw: st.DrawFn, names: Sequence[str]) -> dict[str, Any]:
    """Draw a Worker's report of its run, as JSON values."""
    body = {"id": "fuzzed", "workflow_run_id": "fuzzed", "step_index": 1, "step_name": "one"}
    told = draw(change_fields(body, names))
    return {name: None if isinstance(value, Raw) else value for name, value in told.items()}
