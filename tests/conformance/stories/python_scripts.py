"""cloudflare-python, which validates responses strictly, calls the operations of Workers."""

from base64 import b64encode

from tests.conformance.rows import (
    Absent,
    Answers,
    Call,
    Client,
    Prints,
    Seen,
    Story,
    refuses,
    works,
)
from tests.conformance.stories.workers import DATE, HELLO, MODULE, VERSIONED, ZONE, upload

_APP = ("app",)
_OF_APP = {"script_name": "app"}
#: cloudflare-python 5.9 cannot build the type of this answer with the present pydantic.
_SCHEMA = "PydanticSchemaGenerationError"
_SHARE = [{"version_id": "{new}", "percentage": 100}]
_SCRIPTS = Story(
    "scripts, versions, deployments",
    Client.PYTHON,
    (
        works("workers.scripts.list", Prints("app")),
        works("workers.scripts.search", Prints("app"), body={"name": "app"}),
        works("workers.scripts.get", arguments=_APP),
        works("workers.scripts.content.get", arguments=_APP),
        works("workers.scripts.settings.get", arguments=_APP),
        works(
            "workers.scripts.settings.edit",
            Seen("/workers/scripts/app/script-settings", "logpush", value=True),
            Seen("/workers/scripts/app/versions", "items.2", None),
            arguments=_APP,
            body={"logpush": True},
        ),
        works("workers.scripts.script_and_version_settings.get", arguments=_APP),
        works("workers.scripts.versions.list", Prints("{new}"), arguments=_APP),
        works("workers.scripts.versions.get", arguments=("{new}",), body=_OF_APP, fault=_SCHEMA),
        works("workers.scripts.deployments.list", arguments=_APP, fault="result.items"),
        works(
            "workers.scripts.deployments.create",
            Answers("app", "two"),
            arguments=_APP,
            body={"strategy": "percentage", "versions": _SHARE},
            save={"deployment": "id"},
        ),
        works("workers.scripts.deployments.get", arguments=("{deployment}",), body=_OF_APP),
        works(
            "workers.scripts.script_and_version_settings.edit",
            Seen("/workers/scripts/app/settings", "bindings.*.name", ["V"]),
            arguments=_APP,
            body={"settings": {"bindings": [{"type": "plain_text", "name": "V", "text": "1"}]}},
        ),
        works(
            "workers.scripts.secrets.update",
            Seen("/workers/scripts/app/secrets", "*.name", ["S"]),
            arguments=_APP,
            body={"name": "S", "text": "x", "type": "secret_text"},
        ),
        works("workers.scripts.secrets.list", Prints("S"), arguments=_APP),
        works("workers.scripts.secrets.get", arguments=("S",), body=_OF_APP),
        works(
            "workers.scripts.secrets.bulk_update",
            Seen("/workers/scripts/app/secrets", "*.name", "T", has=True),
            arguments=_APP,
            body={"secrets": {"T": {"name": "T", "text": "x", "type": "secret_text"}}},
        ),
        works(
            "workers.scripts.secrets.delete",
            Seen("/workers/scripts/app/secrets", "*.name", ["T"]),
            arguments=("S",),
            body=_OF_APP,
        ),
        works(
            "workers.scripts.schedules.update",
            Seen("/workers/scripts/app/schedules", "schedules.*.cron", ["0 1 * * *"]),
            arguments=_APP,
            body={"body": [{"cron": "0 1 * * *"}]},
        ),
        works("workers.scripts.schedules.get", arguments=_APP),
        refuses(
            "workers.scripts.schedules.update",
            10100,
            arguments=_APP,
            body={"body": [{"cron": "0 0 * * 0"}]},
        ),
        works(
            "workers.scripts.subdomain.create",
            Seen("/workers/scripts/app/subdomain", "enabled", value=True),
            arguments=_APP,
            body={"enabled": True},
        ),
        works("workers.scripts.subdomain.get", arguments=_APP),
        works(
            "workers.scripts.subdomain.delete",
            Seen("/workers/scripts/app/subdomain", "enabled", value=False),
            arguments=_APP,
        ),
        works("workers.scripts.tail.create", arguments=_APP, save={"tail": "id"}),
        works("workers.scripts.tail.get", arguments=_APP),
        works("workers.scripts.tail.delete", arguments=("{tail}",), body=_OF_APP),
        works(
            "workers.scripts.assets.upload.create",
            arguments=_APP,
            body={"manifest": {"/a.txt": {"hash": "0" * 32, "size": 1}}},
        ),
        works("workers.scripts.delete", Absent("/workers/services/app"), arguments=_APP),
        refuses("workers.scripts.delete", 10007, arguments=_APP, status=404),
    ),
    prepare=(
        upload("app"),
        Call("POST /workers/scripts/app/versions", MODULE, script=VERSIONED),
        Call("GET /workers/scripts/app/versions", save={"new": "items.0.id"}),
    ),
)
_BETA_SOURCE = b'export default { fetch: () => new Response("beta") };'
_MODULES = [
    {
        "name": "worker.js",
        "content_type": "application/javascript+module",
        "content_base64": b64encode(_BETA_SOURCE).decode(),
    }
]
_BETA = Story(
    "workers, versions and deployments as Terraform makes them",
    Client.PYTHON,
    (
        works(
            "workers.beta.workers.create",
            Seen("/workers/workers", "*.name", ["w"]),
            body={"name": "w"},
            save={"worker": "id"},
        ),
        works("workers.beta.workers.list", Prints("w")),
        works("workers.beta.workers.get", Prints("w"), arguments=("{worker}",)),
        works(
            "workers.beta.workers.edit",
            Seen("/workers/workers/{worker}", "logpush", value=True),
            arguments=("{worker}",),
            body={
                "name": "w",
                "logpush": True,
                "observability": {"enabled": False},
                "subdomain": {"enabled": False},
                "tags": [],
                "tail_consumers": [],
            },
        ),
        works(
            "workers.beta.workers.update",
            Seen("/workers/workers/{worker}", "tags", ["t"]),
            arguments=("{worker}",),
            body={"name": "w", "tags": ["t"]},
        ),
        works(
            "workers.beta.workers.versions.create",
            arguments=("{worker}",),
            body={"main_module": "worker.js", "compatibility_date": DATE, "modules": _MODULES},
            save={"version": "id"},
        ),
        works("workers.beta.workers.versions.list", Prints("{version}"), arguments=("{worker}",)),
        works(
            "workers.beta.workers.versions.get",
            arguments=("{version}",),
            body={"worker_id": "{worker}"},
        ),
        works(
            "workers.scripts.deployments.create",
            Answers("w", "beta"),
            arguments=("w",),
            body={
                "strategy": "percentage",
                "versions": [{"version_id": "{version}", "percentage": 100}],
            },
        ),
        works(
            "workers.beta.workers.delete",
            Absent("/workers/workers/{worker}"),
            arguments=("{worker}",),
        ),
    ),
)
_Z = {"zone_id": "{zone}"}
_ROUTING = Story(
    "routes, domains, subdomains",
    Client.PYTHON,
    (
        works(
            "workers.routes.create",
            Seen("/client/v4/zones/{zone}/workers/routes", "*.pattern", ["{account}.example/*"]),
            body=_Z | {"pattern": "{account}.example/*", "script": "app"},
            save={"route": "id"},
        ),
        works("workers.routes.list", Prints("{route}"), body=_Z),
        works("workers.routes.get", arguments=("{route}",), body=_Z),
        works(
            "workers.routes.update",
            Seen("/client/v4/zones/{zone}/workers/routes", "*.pattern", ["{account}.example/b"]),
            arguments=("{route}",),
            body=_Z | {"pattern": "{account}.example/b", "script": "app"},
        ),
        works(
            "workers.routes.delete",
            Seen("/client/v4/zones/{zone}/workers/routes", "", []),
            arguments=("{route}",),
            body=_Z,
        ),
        works(
            "workers.domains.update",
            Seen("/workers/domains", "*.hostname", ["s.{account}.example"]),
            body={
                "account_id": "{account}",
                "hostname": "s.{account}.example",
                "service": "app",
                "zone_id": "{zone}",
            },
            save={"domain": "id"},
        ),
        works("workers.domains.list", Prints("{domain}"), body={"service": "app"}),
        works("workers.domains.get", arguments=("{domain}",)),
        works("workers.domains.delete", Seen("/workers/domains", "", []), arguments=("{domain}",)),
        works("workers.subdomains.get"),
        works("workers.account_settings.get"),
        works("durable_objects.namespaces.list"),
        works("workers.observability.destinations.list"),
    ),
    prepare=(upload("app", HELLO), ZONE),
)
STORIES = (_SCRIPTS, _BETA, _ROUTING)
