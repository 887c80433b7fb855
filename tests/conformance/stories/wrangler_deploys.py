"""wrangler deploys Workers with their bindings, triggers, secrets and class migrations."""

from tests.conformance.rows import Absent, Answers, Client, Prints, Seen, Story, refuses, works
from tests.conformance.stories.workers import (
    BUCKET,
    DATABASE,
    EVERYTHING,
    HELLO,
    NAMESPACE,
    QUEUE,
    ZONE,
    config,
    upload,
)

_SETTINGS = "/workers/scripts/app/settings"
_SCRIPT_SETTINGS = "/workers/scripts/app/script-settings"
_CLASSES = """
import {{ DurableObject }} from "cloudflare:workers";
export class {0} extends DurableObject {{}}
export default {{ fetch: () => new Response("{0}") }};
"""
_BOUND = {"bindings": [{"name": "C", "class_name": "One"}]}
_V1 = {"tag": "v1", "new_sqlite_classes": ["One"]}
_V2 = {"tag": "v2", "renamed_classes": [{"from": "One", "to": "Two"}]}
_V3 = {"tag": "v3", "deleted_classes": ["Two"]}

_FIRST = Story(
    "a first deployment",
    Client.WRANGLER,
    (
        works("deploy", Answers("app", "hello"), Seen("/workers/scripts", "*.id", ["app"])),
        works("delete --force", Absent("/workers/services/app")),
    ),
    files={"index.js": HELLO, "wrangler.json": config("app")},
    quick=True,
)
_READ = Story(
    "what a deployed Worker is",
    Client.WRANGLER,
    (
        works("whoami", Prints("{account}")),
        works("deployments list", Prints("Version(s)")),
        works("deployments status", Prints("100%")),
        works("versions list", Prints("Version ID")),
    ),
    files={"wrangler.json": '{"name": "app"}'},
    prepare=(upload("app"),),
)
_EVERYTHING = Story(
    "one Worker with every binding",
    Client.WRANGLER,
    (
        works(
            "deploy",
            Answers("app", "3 kv r2 7 word 5"),
            Seen(_SETTINGS, "limits.cpu_ms", 50),
            Seen(_SETTINGS, "placement.mode", "smart"),
            Seen(_SCRIPT_SETTINGS, "observability.enabled", value=True),
            Seen(_SCRIPT_SETTINGS, "tail_consumers.0.service", "tail"),
            Seen("/workers/scripts/app/schedules", "schedules.*.cron", ["*/5 * * * *"]),
            Seen("/workflows/flow", "class_name", "Flow"),
        ),
        works(
            "deploy --dry-run --outdir out", Seen("/workers/scripts/app/versions", "items.1", None)
        ),
        works(
            "deploy --strict --keep-vars --var X:1",
            Seen(_SETTINGS, "bindings.*.name", "X", has=True),
        ),
        works(
            "deploy --secrets-file s.json",
            Seen("/workers/scripts/app/secrets", "*.name", ["S"]),
            files={"s.json": '{"S": "x"}'},
        ),
        works("types", Prints("COUNTER: DurableObjectNamespace")),
    ),
    files={
        "index.js": EVERYTHING,
        "wrangler.json": config(
            "app",
            d1_databases=[{"binding": "DB", "database_name": "db", "database_id": "{db}"}],
            kv_namespaces=[{"binding": "KV", "id": "{kv}"}],
            r2_buckets=[{"binding": "BUCKET", "bucket_name": "abucket"}],
            durable_objects={"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
            migrations=[{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
            workflows=[{"name": "flow", "binding": "FLOW", "class_name": "Flow"}],
            queues={"producers": [{"binding": "Q", "queue": "q"}]},
            services=[{"binding": "SELF", "service": "tail"}],
            triggers={"crons": ["*/5 * * * *"]},
            vars={"WORD": "word", "OBJECT": {"deep": 5}},
            ratelimits=[{"name": "R", "namespace_id": "1", "simple": {"limit": 9, "period": 60}}],
            analytics_engine_datasets=[{"binding": "A", "dataset": "d"}],
            ai={"binding": "AI"},
            version_metadata={"binding": "VER"},
            observability={"enabled": True},
            tail_consumers=[{"service": "tail"}],
            limits={"cpu_ms": 50},
            placement={"mode": "smart"},
        ),
    },
    prepare=(DATABASE, NAMESPACE, BUCKET, QUEUE, upload("tail")),
)
_ROUTES = Story(
    "routes, custom domains and triggers",
    Client.WRANGLER,
    (
        works(
            "deploy",
            Seen("/client/v4/zones/{zone}/workers/routes", "*.pattern", ["{account}.example/a*"]),
            Seen("/workers/domains", "*.hostname", ["shop.{account}.example"]),
        ),
        works(
            "triggers deploy",
            Seen("/workers/scripts/app/schedules", "schedules.*.cron", ["0 1 * * *"]),
            files={"wrangler.json": config("app", triggers={"crons": ["0 1 * * *"]})},
        ),
        refuses(
            "deploy",
            10100,
            files={"wrangler.json": config("app", triggers={"crons": ["0 0 * * 0"]})},
        ),
    ),
    files={
        "index.js": HELLO,
        "wrangler.json": config(
            "app",
            routes=[
                {"pattern": "{account}.example/a*", "zone_name": "{account}.example"},
                {"pattern": "shop.{account}.example", "custom_domain": True},
            ],
        ),
    },
    prepare=(ZONE,),
)
_SECRETS = Story(
    "secrets",
    Client.WRANGLER,
    (
        works(
            "secret put FIRST", Seen("/workers/scripts/app/secrets", "*.name", ["FIRST"]), stdin="x"
        ),
        works("secret list", Prints("FIRST")),
        works(
            "secret bulk s.json",
            Seen("/workers/scripts/app/secrets", "*.name", "B", has=True),
            files={"s.json": '{"A": "1", "B": "2"}'},
        ),
        works("secret delete A", Seen("/workers/scripts/app/secrets", "*.name", ["B", "FIRST"])),
        works(
            "versions upload",
            Seen("/workers/scripts/app/versions", "items.*.metadata.source", "wrangler", has=True),
        ),
        refuses("secret put LATER", 10215, stdin="x"),
        refuses("secret bulk s.json", 10215),
        refuses("secret delete B", 10215),
    ),
    files={"index.js": HELLO, "wrangler.json": config("app")},
    prepare=(upload("app"),),
)
_DRAFT = Story(
    "a secret of a Worker that does not exist",
    Client.WRANGLER,
    (works("secret put S", Seen("/workers/scripts/app/secrets", "*.name", ["S"]), stdin="x"),),
    files={"index.js": HELLO, "wrangler.json": config("app")},
)
_CLASS_MIGRATIONS = Story(
    "class migrations",
    Client.WRANGLER,
    (
        works("deploy", Seen("/workers/durable_objects/namespaces", "*.class", ["One"])),
        works(
            "deploy",
            Seen("/workers/durable_objects/namespaces", "*.class", ["Two"]),
            files={
                "index.js": _CLASSES.format("Two"),
                "wrangler.json": config(
                    "app",
                    durable_objects={"bindings": [{"name": "C", "class_name": "Two"}]},
                    migrations=[_V1, _V2],
                ),
            },
        ),
        refuses(
            "deploy",
            10061,
            files={
                "wrangler.json": config(
                    "app",
                    durable_objects={"bindings": [{"name": "C", "class_name": "Two"}]},
                    migrations=[_V1, _V2, _V3],
                )
            },
        ),
        works("deploy", files={"wrangler.json": config("app", migrations=[_V1, _V2])}),
        works(
            "deploy",
            Seen("/workers/durable_objects/namespaces", "*.class", []),
            files={"index.js": HELLO, "wrangler.json": config("app", migrations=[_V1, _V2, _V3])},
        ),
    ),
    files={
        "index.js": _CLASSES.format("One"),
        "wrangler.json": config("app", durable_objects=_BOUND, migrations=[_V1]),
    },
)
_ASSETS = Story(
    "static assets",
    Client.WRANGLER,
    (
        works("deploy", Answers("site", "page"), files={"public/index.html": "<p>page</p>"}),
        works(
            "deploy",
            Answers("site", "page"),
            files={
                "index.js": HELLO,
                "wrangler.json": config(
                    "site", assets={"directory": "public", "binding": "ASSETS"}
                ),
            },
        ),
    ),
    files={
        "wrangler.json": '{"name": "site", "compatibility_date": "2026-11-01", '
        '"assets": {"directory": "public"}, "workers_dev": true}'
    },
)
_DELETION = Story(
    "deletions that Cloudflare refuses",
    Client.WRANGLER,
    (
        refuses("delete nothing --force", 10007),
        works("delete used --force", Absent("/workers/services/used")),
    ),
    files={"wrangler.json": "{}"},
    prepare=(
        upload("used"),
        upload("user", bindings=[{"type": "service", "name": "S", "service": "used"}]),
    ),
)
STORIES = (
    _FIRST,
    _READ,
    _EVERYTHING,
    _ROUTES,
    _SECRETS,
    _DRAFT,
    _CLASS_MIGRATIONS,
    _ASSETS,
    _DELETION,
)
