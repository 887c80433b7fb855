"""wrangler works with queues, Workflows and tails."""

from tests.conformance.rows import Absent, Client, Prints, Seen, Story, refuses, works
from tests.conformance.stories.workers import (
    FLOW,
    QUEUE,
    SUBSCRIBED,
    SUBSCRIPTIONS,
    config,
    upload,
)

_CONSUMER = (
    "export default { fetch: () => new Response('c'), async queue(batch, env) "
    "{ for (const message of batch.messages) message.ack(); } };"
)
_FLOWS = "/workflows/flow"
_INSTANCES = _FLOWS + "/instances"

_QUEUES = Story(
    "queues",
    Client.WRANGLER,
    (
        works("queues create other", Seen("/queues", "*.queue_name", "other", has=True)),
        works("queues list", Prints("other")),
        works("queues info q", Prints("q")),
        refuses("queues create q", 11009),
        works(
            "queues update q --delivery-delay-secs 5",
            Seen("/queues/{queue}", "settings.delivery_delay", 5),
        ),
        works("queues consumer add q app", Seen("/queues/{queue}/consumers", "*.type", ["worker"])),
        works("queues consumer list q", Prints("app")),
        works("queues consumer worker list q", Prints("app")),
        works("queues consumer remove q app", Seen("/queues/{queue}/consumers", "", [])),
        works(
            "queues consumer http add q", Seen("/queues/{queue}/consumers", "*.type", ["http_pull"])
        ),
        works("queues consumer http list q --json", Prints('"type": "http_pull"')),
        works("queues consumer http remove q", Seen("/queues/{queue}/consumers", "", [])),
        works(
            "queues pause-delivery q",
            Seen("/queues/{queue}", "settings.delivery_paused", value=True),
        ),
        works(
            "queues resume-delivery q",
            Seen("/queues/{queue}", "settings.delivery_paused", value=False),
        ),
        works("queues purge q --force", Prints("Purged")),
        works("queues delete other", Seen("/queues", "*.queue_name", ["q"])),
    ),
    files={"wrangler.json": '{"name": "app"}'},
    prepare=(QUEUE, upload("app", _CONSUMER)),
)
_DEPLOYED_CONSUMER = Story(
    "a consumer in the configuration",
    Client.WRANGLER,
    (
        works("deploy", Seen("/queues/{queue}/consumers", "*.settings.batch_size", [3])),
        refuses("queues delete q", 11005),
    ),
    files={
        "index.js": _CONSUMER,
        "wrangler.json": config(
            "app",
            queues={
                "consumers": [{"queue": "q", "max_batch_size": 3}],
                "producers": [{"queue": "q", "binding": "Q"}],
            },
        ),
    },
    prepare=(QUEUE,),
)
_SUBSCRIPTIONS = Story(
    "event subscriptions",
    Client.WRANGLER,
    (
        works(
            "queues subscription create q --source workflows.workflow --workflow-name flow "
            "--events instance.started,instance.completed --name s",
            Seen(SUBSCRIPTIONS, "*.name", ["other", "s"]),
        ),
        refuses(
            "queues subscription create q --source workflows.workflow --workflow-name flow "
            "--events instance.queued",
            10005,
        ),
        works("queues subscription list q", Prints("s")),
        works("queues subscription get q --id {subscription}", Prints("instance.queued")),
        works(
            "queues subscription update q --id {subscription} --enabled false",
            Seen(f"{SUBSCRIPTIONS}/{{subscription}}", "enabled", value=False),
        ),
        works(
            "queues subscription delete q --id {subscription} --force",
            Absent(f"{SUBSCRIPTIONS}/{{subscription}}"),
        ),
        works("queues subscription create q --source kv --events namespace.created"),
    ),
    files={"wrangler.json": '{"name": "app"}'},
    prepare=(QUEUE, *SUBSCRIBED),
)
_WORKFLOWS = Story(
    "Workflows",
    Client.WRANGLER,
    (
        works("deploy", Seen(_FLOWS, "class_name", "Flow")),
        works("workflows list", Prints("flow")),
        works("workflows describe flow", Prints("flow")),
        works("workflows trigger flow '{\"a\":1}' --id i1", Seen(_INSTANCES, "*.id", ["i1"])),
        works("workflows instances list flow", Prints("i1")),
        works("workflows instances describe flow i1", Prints("first")),
        works("workflows instances pause flow i1", Prints("paused")),
        works("workflows instances resume flow i1", Prints("resumed")),
        works(
            "workflows instances send-event flow i1 --type go --payload '{\"b\":2}'", Prints("sent")
        ),
        works("workflows instances restart flow i1", Prints("restarted")),
        works(
            "workflows instances terminate flow i1",
            Seen(_INSTANCES + "/i1", "status", "terminated"),
        ),
        works("workflows delete flow", Seen("/workflows", "*.name", [])),
    ),
    files={
        "index.js": FLOW,
        "wrangler.json": config(
            "app", workflows=[{"name": "flow", "binding": "FLOW", "class_name": "Flow"}]
        ),
    },
)
STORIES = (_QUEUES, _DEPLOYED_CONSUMER, _SUBSCRIPTIONS, _WORKFLOWS)
