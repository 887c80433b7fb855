"""cloudflare-typescript calls what Workers, D1, KV, R2, queues and Workflows need."""

from tests.conformance.rows import Client, Seen, Story, refuses, works
from tests.conformance.stories.workers import FLOW, HELLO, QUEUE, ZONE, upload

_DB = {"save": {"db": "uuid"}}
_D1 = Story(
    "stores",
    Client.TYPESCRIPT,
    (
        works(
            "d1.database.create", Seen("/d1/database", "*.name", ["db"]), body={"name": "db"}, **_DB
        ),
        refuses("d1.database.create", 7502, body={"name": "db"}),
        works("d1.database.list"),
        works("d1.database.get", arguments=("{db}",)),
        works("d1.database.query", arguments=("{db}",), body={"sql": "SELECT 1 AS a"}),
        works("d1.database.raw", arguments=("{db}",), body={"sql": "SELECT 1 AS a"}),
        refuses("d1.database.query", 7500, arguments=("{db}",), body={"sql": "SELECT nothing"}),
        works("d1.database.edit", arguments=("{db}",), body={"read_replication": {"mode": "auto"}}),
        works("d1.database.delete", Seen("/d1/database", "", []), arguments=("{db}",)),
        refuses("d1.database.get", 7404, arguments=("{db}",)),
        works("kv.namespaces.create", body={"title": "ns"}, save={"kv": "id"}),
        works("kv.namespaces.list"),
        works("kv.namespaces.get", arguments=("{kv}",)),
        works(
            "kv.namespaces.update",
            Seen("/storage/kv/namespaces", "*.title", ["new"]),
            arguments=("{kv}",),
            body={"title": "new"},
        ),
        works(
            "kv.namespaces.values.update",
            Seen("/storage/kv/namespaces/{kv}/values/k", "", "v"),
            arguments=("{kv}", "k"),
            body={"value": "v"},
        ),
        works("kv.namespaces.values.get", arguments=("{kv}", "k")),
        works("kv.namespaces.keys.list", arguments=("{kv}",)),
        works("kv.namespaces.values.delete", arguments=("{kv}", "k")),
        works("kv.namespaces.delete", Seen("/storage/kv/namespaces", "", []), arguments=("{kv}",)),
        works(
            "r2.buckets.create",
            Seen("/r2/buckets", "buckets.*.name", ["abucket"]),
            body={"name": "abucket"},
        ),
        refuses("r2.buckets.create", 10004, body={"name": "abucket"}),
        works("r2.buckets.list"),
        works("r2.buckets.get", arguments=("abucket",)),
        refuses("r2.buckets.cors.get", 10059, arguments=("abucket",)),
        works("r2.buckets.lifecycle.get", arguments=("abucket",)),
        works("r2.buckets.delete", arguments=("abucket",)),
        refuses("r2.buckets.delete", 10006, arguments=("abucket",)),
        works("queues.list"),
        works("queues.get", arguments=("{queue}",)),
        works("queues.messages.push", arguments=("{queue}",), body={"body": "m"}),
        works(
            "queues.create",
            Seen("/queues", "*.queue_name", "r", has=True),
            body={"queue_name": "r"},
        ),
    ),
    prepare=(QUEUE,),
)
_SCRIPTS = Story(
    "scripts",
    Client.TYPESCRIPT,
    (
        works("workers.scripts.list"),
        works("workers.scripts.get", arguments=("app",)),
        works("workers.scripts.settings.get", arguments=("app",)),
        works("workers.scripts.scriptAndVersionSettings.get", arguments=("app",)),
        works(
            "workers.scripts.secrets.update",
            Seen("/workers/scripts/app/secrets", "*.name", ["S"]),
            arguments=("app",),
            body={"name": "S", "text": "x", "type": "secret_text"},
        ),
        works("workers.scripts.secrets.list", arguments=("app",)),
        works("workers.scripts.versions.list", arguments=("app",)),
        works("workers.scripts.deployments.list", arguments=("app",)),
        works("workers.scripts.schedules.get", arguments=("app",)),
        works("workers.scripts.subdomain.get", arguments=("app",)),
        works("workers.scripts.content.get", arguments=("app",)),
        works("workers.domains.list"),
        works(
            "workflows.update",
            Seen("/workflows/flow", "class_name", "Flow"),
            arguments=("flow",),
            body={"class_name": "Flow", "script_name": "flows"},
        ),
        works("workflows.list"),
        works("workflows.instances.list", arguments=("flow",)),
        works("workflows.instances.create", arguments=("flow",), body={"instance_id": "i"}),
        works(
            "workers.scripts.delete",
            Seen("/workers/scripts", "*.id", "flows", has=True),
            arguments=("app",),
        ),
        refuses("workers.scripts.delete", 10007, arguments=("app",)),
    ),
    prepare=(upload("app", HELLO), upload("flows", FLOW), ZONE),
)
STORIES = (
    _D1,
    _SCRIPTS,
)
