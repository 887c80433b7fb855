"""Two older versions of wrangler do what most projects do with it."""

from tests.conformance.rows import Absent, Answers, Call, Client, Prints, Seen, Story, works
from tests.conformance.stories.workers import (
    DATABASE,
    EVERYTHING,
    HELLO,
    MODULE,
    NAMESPACE,
    VERSIONED,
    config,
    upload,
)

_SMALL = EVERYTHING.replace(
    'await env.KV.put("k", "kv"); await env.BUCKET.put("o", "r2");', ""
).replace(
    """await env.KV.get("k"),
      await (await env.BUCKET.get("o")).text(), await""",
    "await",
)
_CONFIG = config(
    "app",
    compatibility_date="2025-01-01",
    d1_databases=[{"binding": "DB", "database_name": "db", "database_id": "{db}"}],
    durable_objects={"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
    migrations=[{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
    workflows=[{"name": "flow", "binding": "FLOW", "class_name": "Flow"}],
    triggers={"crons": ["*/5 * * * *"]},
    vars={"WORD": "word", "OBJECT": {"deep": 5}},
    observability={"enabled": True},
)
_IDS = {"new": "items.0.id", "old": "items.1.id"}
_OBSERVED = config("app", observability={"enabled": True})
_DEPLOYED = "/workers/scripts/app/deployments"


def _stories(client: Client) -> tuple[Story, ...]:
    return (
        Story(
            "deployment and D1",
            client,
            (
                works("deploy", Answers("app", "3 7 word 5")),
                works("deploy", Answers("app", "3 7 word 5")),
                works(
                    "secret put S", Seen("/workers/scripts/app/secrets", "*.name", ["S"]), stdin="x"
                ),
                works("secret list", Prints("S")),
                works(
                    "versions upload",
                    Seen(
                        "/workers/scripts/app/versions",
                        "items.*.metadata.source",
                        "wrangler",
                        has=True,
                    ),
                ),
                works("versions list", Prints("Version ID")),
                works("deployments status", Prints("100%")),
                works(
                    "rollback -y -m back",
                    Seen(_DEPLOYED, "deployments.0.versions.*.percentage", [100]),
                ),
                works(
                    "d1 migrations apply db --remote",
                    Prints("0001_first.sql"),
                    files={"migrations/0001_first.sql": "CREATE TABLE t (a);"},
                ),
                works("d1 execute db --remote -y --command 'SELECT 41 + 1 AS n'", Prints("42")),
                works(
                    "d1 execute db --remote -y --file f.sql",
                    files={"f.sql": "INSERT INTO t VALUES (4321);"},
                ),
                works("d1 execute db --remote -y --command 'SELECT a FROM t'", Prints("4321")),
                works("d1 export db --remote --output o.sql", Prints("o.sql")),
                works("d1 info db", Prints("{db}")),
                works("delete --force", Absent("/workers/services/app")),
            ),
            files={"index.js": _SMALL, "wrangler.json": _CONFIG},
            prepare=(DATABASE, NAMESPACE),
        ),
        Story(
            "gradual deployments of a Worker with observability",
            client,
            (
                works(
                    "versions deploy {new}@60% {old}@40% -y",
                    Seen(_DEPLOYED, "deployments.0.versions.*.percentage", [60, 40]),
                ),
                works("versions deploy {new}@100% -y", Answers("app", "two")),
                works(
                    "versions secret put S",
                    Seen("/workers/scripts/app/versions", "items.2.number", 1),
                    stdin="v",
                ),
            ),
            files={"index.js": HELLO, "wrangler.json": _OBSERVED},
            prepare=(
                upload("app"),
                Call("POST /workers/scripts/app/versions", MODULE, script=VERSIONED),
                Call("GET /workers/scripts/app/versions", save=_IDS),
            ),
        ),
    )


STORIES = (*_stories(Client.WRANGLER_4_20), *_stories(Client.WRANGLER_3))
