"""cloudflare-python, which validates responses strictly, calls D1, KV, R2, queues and Workflows."""

from tests.conformance.rows import Absent, Call, Client, Prints, Seen, Story, refuses, works
from tests.conformance.stories.workers import (
    BUCKET,
    FLOW,
    QUEUE,
    SUBSCRIBED,
    SUBSCRIPTIONS,
    subscription,
    upload,
)

_KV = "/storage/kv/namespaces/{kv}"
_D1 = Story(
    "D1",
    Client.PYTHON,
    (
        works(
            "d1.database.create",
            Seen("/d1/database", "*.name", ["db"]),
            body={"name": "db"},
            save={"db": "uuid"},
        ),
        works("d1.database.create", body={"name": "rr", "read_replication": {"mode": "disabled"}}),
        refuses("d1.database.create", 7502, body={"name": "db"}, status=400),
        works("d1.database.list", Prints("rr"), body={"per_page": 1}),
        works("d1.database.get", Prints("db"), arguments=("{db}",)),
        works(
            "d1.database.query",
            Prints("11"),
            arguments=("{db}",),
            body={"sql": "SELECT ? + 1 AS a", "params": ["10"]},
        ),
        works(
            "d1.database.raw", Prints("columns"), arguments=("{db}",), body={"sql": "SELECT 1 AS a"}
        ),
        refuses(
            "d1.database.query",
            7500,
            arguments=("{db}",),
            body={"sql": "SELECT nothing"},
            status=400,
        ),
        works(
            "d1.database.edit",
            Seen("/d1/database/{db}", "read_replication.mode", "auto"),
            arguments=("{db}",),
            body={"read_replication": {"mode": "auto"}},
        ),
        works(
            "d1.database.update",
            Seen("/d1/database/{db}", "read_replication.mode", "disabled"),
            arguments=("{db}",),
            body={"read_replication": {"mode": "disabled"}},
        ),
        works(
            "d1.database.time_travel.get_bookmark",
            arguments=("{db}",),
            save={"bookmark": "bookmark"},
        ),
        works(
            "d1.database.time_travel.restore", arguments=("{db}",), body={"bookmark": "{bookmark}"}
        ),
        works("d1.database.export", arguments=("{db}",), body={"output_format": "polling"}),
        works(
            "d1.database.import_",
            Prints("upload_url"),
            arguments=("{db}",),
            body={"action": "init", "etag": "d41d8cd98f00b204e9800998ecf8427e"},
        ),
        works("d1.database.delete", Absent("/d1/database/{db}"), arguments=("{db}",)),
        refuses("d1.database.get", 7404, arguments=("{db}",), status=404),
    ),
    quick=True,
)
_VALUES = Story(
    "KV",
    Client.PYTHON,
    (
        works("kv.namespaces.create", body={"title": "ns"}, save={"kv": "id"}),
        refuses("kv.namespaces.create", 10014, body={"title": "ns"}),
        works("kv.namespaces.list", Prints("{kv}"), body={"per_page": 5}),
        works("kv.namespaces.get", Prints("ns"), arguments=("{kv}",)),
        works(
            "kv.namespaces.update",
            Seen(_KV, "title", "new"),
            arguments=("{kv}",),
            body={"title": "new"},
        ),
        works(
            "kv.namespaces.values.update",
            Seen(_KV + "/values/k", "", "v"),
            arguments=("k",),
            body={"namespace_id": "{kv}", "value": b"v", "metadata": {"m": 1}},
        ),
        works("kv.namespaces.values.get", arguments=("k",), body={"namespace_id": "{kv}"}),
        works("kv.namespaces.metadata.get", arguments=("k",), body={"namespace_id": "{kv}"}),
        works(
            "kv.namespaces.keys.list",
            Prints("k"),
            arguments=("{kv}",),
            body={"prefix": "k", "limit": 10},
        ),
        works(
            "kv.namespaces.bulk_update",
            Seen(_KV + "/values/b", "", "x"),
            arguments=("{kv}",),
            body={"body": [{"key": "b", "value": "x"}]},
        ),
        works("kv.namespaces.bulk_get", Prints("x"), arguments=("{kv}",), body={"keys": ["b"]}),
        works(
            "kv.namespaces.bulk_delete",
            Absent(_KV + "/values/b"),
            arguments=("{kv}",),
            body={"body": ["b"]},
        ),
        works(
            "kv.namespaces.values.delete",
            Absent(_KV + "/values/k"),
            arguments=("k",),
            body={"namespace_id": "{kv}"},
        ),
        works("kv.namespaces.delete", Absent(_KV), arguments=("{kv}",)),
        refuses("kv.namespaces.get", 10013, arguments=("{kv}",), status=404),
    ),
)
_BUCKET = {"bucket_name": "abucket"}
_RULE = {
    "id": "r",
    "enabled": True,
    "conditions": {"prefix": ""},
    "delete_objects_transition": {"condition": {"max_age": 9, "type": "Age"}},
}
_CORS = {"rules": [{"allowed": {"methods": ["GET"], "origins": ["*"]}}]}
_R2 = Story(
    "R2",
    Client.PYTHON,
    (
        works(
            "r2.buckets.create",
            Seen("/r2/buckets", "buckets.*.name", "bbucket", has=True),
            body={"name": "bbucket"},
        ),
        refuses("r2.buckets.create", 10004, body={"name": "bbucket"}, status=409),
        refuses("r2.buckets.create", 10005, body={"name": "Bad_Name"}),
        works("r2.buckets.list", Prints("bbucket"), body={"name_contains": "bb"}),
        works("r2.buckets.get", Prints("abucket"), arguments=("abucket",)),
        works(
            "r2.buckets.edit",
            Seen("/r2/buckets/abucket", "storage_class", "InfrequentAccess"),
            arguments=("abucket",),
            body={"storage_class": "InfrequentAccess"},
        ),
        works(
            "r2.buckets.lifecycle.update",
            Seen("/r2/buckets/abucket/lifecycle", "rules.*.id", ["r"]),
            arguments=("abucket",),
            body={"rules": [_RULE]},
        ),
        works("r2.buckets.lifecycle.get", Prints("Age"), arguments=("abucket",)),
        works(
            "r2.buckets.cors.update",
            Seen("/r2/buckets/abucket/cors", "rules.0.allowed.methods", ["GET"]),
            arguments=("abucket",),
            body=_CORS,
        ),
        works("r2.buckets.cors.get", Prints("GET"), arguments=("abucket",)),
        works("r2.buckets.cors.delete", arguments=("abucket",)),
        works(
            "r2.buckets.objects.upload",
            Seen("/r2/buckets/abucket/objects/o", "", "text"),
            arguments=("o", "text"),
            body=_BUCKET,
        ),
        works("r2.buckets.objects.list", Prints("o"), arguments=("abucket",)),
        works("r2.buckets.objects.get", arguments=("o",), body=_BUCKET),
        refuses("r2.buckets.delete", 10008, arguments=("abucket",)),
        works(
            "r2.buckets.objects.delete",
            Absent("/r2/buckets/abucket/objects/o"),
            arguments=("o",),
            body=_BUCKET,
        ),
        works("r2.buckets.domains.managed.list", arguments=("abucket",)),
        works("r2.buckets.domains.custom.list", arguments=("abucket",)),
        works("r2.buckets.event_notifications.list", arguments=("abucket",)),
        works("r2.buckets.locks.get", arguments=("abucket",)),
        works("r2.buckets.metrics.list"),
        works("r2.buckets.sippy.get", arguments=("abucket",)),
        works("r2.buckets.delete", Absent("/r2/buckets/bbucket"), arguments=("bbucket",)),
        refuses("r2.buckets.delete", 10006, arguments=("bbucket",), status=404),
    ),
    prepare=(BUCKET,),
)
_Q = ("{queue}",)
_QUEUES = Story(
    "queues",
    Client.PYTHON,
    (
        works(
            "queues.create",
            Seen("/queues", "*.queue_name", "r", has=True),
            body={"queue_name": "r"},
            save={"other": "queue_id"},
        ),
        refuses("queues.create", 11009, body={"queue_name": "r"}),
        works("queues.list", Prints("r")),
        works("queues.get", Prints("q"), arguments=_Q),
        works(
            "queues.edit",
            Seen("/queues/{queue}", "settings.delivery_delay", 3),
            arguments=_Q,
            body={"settings": {"delivery_delay": 3}},
        ),
        works(
            "queues.update",
            Seen("/queues/{queue}", "settings.delivery_delay", 0),
            arguments=_Q,
            body={"queue_name": "q", "settings": {"delivery_delay": 0}},
        ),
        works("queues.messages.push", arguments=_Q, body={"body": "one", "content_type": "text"}),
        works(
            "queues.messages.bulk_push",
            arguments=_Q,
            body={"messages": [{"body": "two", "content_type": "text"}]},
        ),
        works("queues.get_metrics", arguments=_Q),
        works(
            "queues.consumers.create",
            Seen("/queues/{queue}/consumers", "*.type", ["http_pull"]),
            arguments=_Q,
            body={"type": "http_pull"},
            save={"consumer": "consumer_id"},
        ),
        works("queues.consumers.list", Prints("http_pull"), arguments=_Q),
        works(
            "queues.consumers.get",
            Prints("http_pull"),
            arguments=("{consumer}",),
            body={"queue_id": "{queue}"},
        ),
        works("queues.messages.peek", arguments=_Q),
        works(
            "queues.messages.pull",
            Prints("lease_id"),
            arguments=_Q,
            body={"batch_size": 5},
            save={"lease": "messages.0.lease_id"},
        ),
        works(
            "queues.messages.ack",
            Prints("ackCount"),
            arguments=_Q,
            body={"acks": [{"lease_id": "{lease}"}]},
        ),
        works(
            "queues.consumers.update",
            Seen("/queues/{queue}/consumers", "0.settings.batch_size", 7),
            arguments=("{consumer}",),
            body={"queue_id": "{queue}", "type": "http_pull", "settings": {"batch_size": 7}},
        ),
        works(
            "queues.consumers.delete",
            Seen("/queues/{queue}/consumers", "", []),
            arguments=("{consumer}",),
            body={"queue_id": "{queue}"},
        ),
        works("queues.purge.start", arguments=_Q, body={"delete_messages_permanently": True}),
        works("queues.purge.status", arguments=_Q),
        works("queues.delete", Absent("/queues/{other}"), arguments=("{other}",)),
    ),
    prepare=(QUEUE,),
)
_SUBSCRIPTION = f"{SUBSCRIPTIONS}/{{subscription}}"
_SUBSCRIPTIONS = Story(
    "event subscriptions",
    Client.PYTHON,
    (
        works(
            "queues.subscriptions.create",
            Seen(SUBSCRIPTIONS, "*.name", ["other", "s"]),
            body=subscription("s", "flow"),
        ),
        refuses("queues.subscriptions.create", 10005, body=subscription("s", "flow"), status=405),
        works("queues.subscriptions.list", Prints("other"), body={"order": "created_at"}),
        works("queues.subscriptions.get", Prints("instance.queued"), arguments=("{subscription}",)),
        works(
            "queues.subscriptions.update",
            Seen(_SUBSCRIPTION, "events", ["instance.errored"]),
            arguments=("{subscription}",),
            body={"events": ["instance.errored"]},
        ),
        works("queues.subscriptions.delete", Absent(_SUBSCRIPTION), arguments=("{subscription}",)),
    ),
    prepare=(QUEUE, *SUBSCRIBED),
)
_NAME = {"workflow_name": "flow"}
_INSTANCE = "/workflows/flow/instances/i1"
_WORKFLOWS = Story(
    "Workflows",
    Client.PYTHON,
    (
        works(
            "workflows.update",
            Seen("/workflows", "*.name", ["flow"]),
            arguments=("flow",),
            body={"class_name": "Flow", "script_name": "app"},
        ),
        works("workflows.list", Prints("flow"), body={"search": "fl"}),
        works("workflows.get", Prints("Flow"), arguments=("flow",)),
        works("workflows.versions.list", arguments=("flow",), save={"version": "0.id"}),
        works("workflows.versions.get", arguments=("{version}",), body=_NAME),
        works(
            "workflows.instances.create",
            Seen(_INSTANCE, "params", {"a": 1}),
            arguments=("flow",),
            body={"instance_id": "i1", "params": {"a": 1}},
        ),
        works(
            "workflows.instances.bulk",
            Seen("/workflows/flow/instances", "*.id", "i2", has=True),
            arguments=("flow",),
            body={"body": [{"instance_id": "i2"}]},
        ),
        works("workflows.instances.list", Prints("i2"), arguments=("flow",), body={"per_page": 1}),
        works("workflows.instances.get", Prints("first"), arguments=("i1",), body=_NAME),
        works(
            "workflows.instances.status.edit", arguments=("i2",), body=_NAME | {"status": "pause"}
        ),
        works(
            "workflows.instances.status.edit", arguments=("i2",), body=_NAME | {"status": "resume"}
        ),
        works(
            "workflows.instances.status.edit",
            Seen("/workflows/flow/instances/i2", "status", "terminated"),
            arguments=("i2",),
            body=_NAME | {"status": "terminate"},
        ),
        works(
            "workflows.instances.events.create",
            arguments=("go",),
            body=_NAME | {"instance_id": "i1", "body": {"b": 2}},
        ),
        works("workflows.delete", Absent("/workflows/flow"), arguments=("flow",)),
    ),
    prepare=(upload("app", FLOW),),
)
_ZONES = Story(
    "accounts and zones",
    Client.PYTHON,
    (
        works("accounts.get", Prints("{account}")),
        works("accounts.list", body={}),
        works("zones.list", Prints("{zone}"), body={}),
        works("zones.get", body={"zone_id": "{zone}"}),
        works("dns.records.list", body={"zone_id": "{zone}"}),
        works(
            "dns.records.create",
            Prints("192.0.2.1"),
            body={
                "zone_id": "{zone}",
                "type": "A",
                "name": "a.{account}.example",
                "content": "192.0.2.1",
                "ttl": 1,
            },
        ),
        works("user.tokens.verify", body={}),
        works("accounts.tokens.verify"),
    ),
    prepare=(
        Call(
            "POST /client/v4/zones",
            {"name": "{account}.example", "account": {"id": "{account}"}},
            save={"zone": "id"},
        ),
    ),
)
STORIES = (_D1, _VALUES, _R2, _QUEUES, _SUBSCRIPTIONS, _WORKFLOWS, _ZONES)
