"""Calls that Cloudflare refuses, with the codes that public traces show."""

from tests.conformance.rows import Call, Client, Row, Story, refuses
from tests.conformance.stories.workers import BUCKET, DATABASE, HELLO, NAMESPACE, QUEUE, upload

_QUERY = "POST /d1/database/{db}/query"
_CRONS = "PUT /workers/scripts/app/schedules"
_APP = "/workers/scripts/app"


def _sql(sql: str, code: int = 7500, **more: object) -> Row:
    return refuses(_QUERY, code, body={"sql": sql} | more)


def _cron(*crons: str) -> Row:
    return refuses(_CRONS, 10100, body=[{"cron": cron} for cron in crons])


_D1 = Story(
    "D1",
    Client.HTTP,
    (
        refuses("GET /d1/database/00000000-0000-0000-0000-000000000000", 7404, status=404),
        refuses("POST /d1/database", 7502, body={"name": "db"}, status=400),
        refuses(
            "POST /d1/database", 7400, body={"name": "n", "read_replication": None}, status=400
        ),
        refuses("POST /d1/database", 7400, body={"name": 5}, status=400),
        _sql("SELECT nothing"),
        _sql("BEGIN"),
        _sql("SAVEPOINT a"),
        _sql("ATTACH 'a' AS b"),
        _sql("VACUUM"),
        _sql("SELECT sqlite_version()"),
        _sql("CREATE TABLE _cf_x (a)"),
        _sql("SELECT " + ", ".join("?" * 101), params=["1"] * 101),
        _sql("SELECT '" + "x" * 100_001 + "'"),
        _sql("CREATE TABLE wide (" + ", ".join(f"c{n}" for n in range(101)) + ")"),
        _sql("SELECT 1" + " UNION ALL SELECT 1" * 5),
        _sql("SELECT 'a' LIKE '" + "%a" * 26 + "'"),
        _sql("SELECT ?", code=7400, params=[{"x": 1}]),
    ),
    prepare=(DATABASE,),
    quick=True,
)
_STORES = Story(
    "KV, R2, queues",
    Client.HTTP,
    (
        refuses("POST /storage/kv/namespaces", 10014, body={"title": "ns"}),
        refuses("GET /storage/kv/namespaces/" + "0" * 32, 10013, status=404),
        refuses("POST /r2/buckets", 10004, body={"name": "abucket"}, status=409),
        refuses("POST /r2/buckets", 10005, body={"name": "Bad_Name"}, status=400),
        refuses("POST /r2/buckets", 10005, body={"name": "ab"}, status=400),
        refuses("DELETE /r2/buckets/missing", 10006, status=404),
        refuses("POST /queues", 11009, body={"queue_name": "q"}),
        refuses("DELETE /queues/" + "0" * 32, 11000, status=404),
    ),
    prepare=(NAMESPACE, BUCKET, QUEUE),
)
_SCRIPTS = Story(
    "scripts",
    Client.HTTP,
    (
        refuses("GET /client/v4/accounts/nothing/d1/database", 7003),
        refuses("GET /workers/services/missing", 10090, status=404),
        refuses("DELETE /workers/scripts/missing", 10007, status=404),
        _cron("0 0 * * 0"),
        _cron("a b c d e"),
        _cron("61 * * * *"),
        _cron("0 0 32 * *"),
        _cron("*/0 * * * *"),
        _cron("0 0 * * *", "0 0 * * *"),
        refuses(f"GET {_APP}/secrets/MISSING", 10056, status=404),
        refuses(f"DELETE {_APP}/secrets/MISSING", 10056, status=404),
        refuses(
            "PUT /workflows/flow", 10007, body={"class_name": "Flow", "script_name": "missing"}
        ),
        refuses(
            f"POST {_APP}/deployments",
            10001,
            body={
                "strategy": "percentage",
                "versions": [{"version_id": "{version}", "percentage": 120}],
            },
        ),
    ),
    prepare=(
        upload("app"),
        Call(f"GET {_APP}/versions", save={"version": "items.0.id"}),
    ),
)
_NO_SQLITE = {"new_tag": "v1", "steps": [{"new_classes": ["Missing"]}]}


def _upload(code: int, source: str = HELLO, status: int | None = None, **metadata: object) -> Row:
    """Return an upload that must be refused; its files are the source and its metadata."""
    return refuses(
        "PUT /workers/scripts/bad", code, body=metadata, files={"worker.js": source}, status=status
    )


def _binding(**binding: object) -> dict[str, object]:
    return {"bindings": [{"name": "B"} | binding]}


_UPLOADS = Story(
    "uploads",
    Client.HTTP,
    (
        _upload(10021, "export default {"),
        _upload(10021, "throw new Error('start')"),
        _upload(10021, "import 'missing'; export default {}"),
        _upload(10021, "await fetch('https://example.com'); export default { fetch() {} }"),
        _upload(10021, compatibility_date="2999-01-01"),
        _upload(10021, compatibility_flags=["unknown_flag"]),
        _upload(10041, **_binding(type="kv_namespace", namespace_id="0" * 32)),
        _upload(10085, **_binding(type="r2_bucket", bucket_name="missing")),
        _upload(10143, **_binding(type="service", service="missing")),
        _upload(10181, **_binding(type="d1", id="00000000-0000-0000-0000-000000000000")),
        _upload(10061, **_binding(type="durable_object_namespace", class_name="Missing")),
        _upload(10070, migrations=_NO_SQLITE),
        _upload(10079, status=412, migrations={"old_tag": "v7", "new_tag": "v8", "steps": []}),
        _upload(10054, **_binding(type="plain_text", text="x" * 6000)),
        _upload(10053, bindings=[{"type": "plain_text", "name": "B", "text": "1"}] * 2),
    ),
)
STORIES = (_D1, _STORES, _SCRIPTS, _UPLOADS)
