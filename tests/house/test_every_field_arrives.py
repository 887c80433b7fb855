"""Every field of the configuration changes what is deployed, or says where else it acts.

A field that is accepted and documented but reaches nothing fails here. The other value of each
field is written below; a new field needs a line.
"""

import copy
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from flowflare.config.schema import ClientConfig, StackConfig
from flowflare.config.schema.bindings import own_settings
from tests.golden.test_golden import declared_by
from tests.support.own_stores import OWN_STORES

#: Fields that no plan shows, each with the test that shows what it does.
ELSEWHERE = {
    "engine": "which engine runs the stack: tests/cli/test_pulumi_stacks.py",
    "allowDataLoss": "what the engine refuses: tests/e2e/test_data_loss.py",
    "policies": "what a plan is checked with: tests/unit/review/policy",
}
SOURCE = """\
export class OrderWorkflow {}
export class Cart {}
export class Basket {}
export default {};
"""
ORDERS: dict[str, Any] = {
    "source": "index.js",
    "workflows": {"order": {"className": "OrderWorkflow"}},
}
BASE: dict[str, Any] = {"accountId": "f" * 32, "clients": {"orders": ORDERS}}
ZONE = "0" * 32
CART = {"durableObjects": {"CARTS": {"className": "Cart"}}}
BEGUN = {**CART, "classMigrations": [{"tag": "v1", "newSqliteClasses": ["Cart"]}]}
RENAMED = [
    *BEGUN["classMigrations"],
    {"tag": "v2", "renamedClasses": [{"from": "Cart", "to": "Basket"}]},
]
MOVED = [
    {"tag": "v1", "transferredClasses": [{"from": "Old", "fromScript": "other", "to": "Cart"}]}
]


def consuming(**words: Any) -> dict[str, Any]:
    """A client that consumes its own queue, with one word of the consumer changed."""
    queues = {"JOBS": {"queue": {}}, "PAID": {"queue": {}}}
    return {"bindings": queues, "queueConsumers": [{"queue": "JOBS", **words}]}


def serving(*words: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Clients with static assets, each with other words."""
    return tuple({"assets": {"directory": "public", **changed}} for changed in words)


def moved(**words: str) -> dict[str, Any]:
    """A class that is taken over, with one word of the step changed."""
    step = copy.deepcopy(MOVED)
    step[0]["transferredClasses"][0].update(words)
    return {"classMigrations": step}


def importing(*rules: dict[str, Any]) -> dict[str, Any]:
    """A client that imports a page, with rules for imports."""
    return {"source": "page.js", "rules": list(rules)}


PAGES = {"type": "Data", "globs": ["**/*.html"]}
#: For each field of a Worker: the configuration before and after, below the Worker.
WORKER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "workersDev": ({}, {"workersDev": False}),
    "routes[].pattern": (
        {"routes": [{"pattern": "a.example.com/*", "zoneId": ZONE}]},
        {"routes": [{"pattern": "b.example.com/*", "zoneId": ZONE}]},
    ),
    "routes[].zoneId": (
        {"routes": [{"pattern": "a.example.com/*", "zoneId": ZONE}]},
        {"routes": [{"pattern": "a.example.com/*", "zoneId": "1" * 32}]},
    ),
    "domains[].hostname": (
        {"domains": [{"hostname": "a.example.com", "zoneId": ZONE}]},
        {"domains": [{"hostname": "b.example.com", "zoneId": ZONE}]},
    ),
    "domains[].zoneId": (
        {"domains": [{"hostname": "a.example.com", "zoneId": ZONE}]},
        {"domains": [{"hostname": "a.example.com", "zoneId": "1" * 32}]},
    ),
    "compatibilityDate": ({}, {"compatibilityDate": "2026-10-01"}),
    "compatibilityFlags": ({}, {"compatibilityFlags": ["nodejs_compat"]}),
    "limits.cpuMs": ({"limits": {"subrequests": 9}}, {"limits": {"subrequests": 9, "cpuMs": 50}}),
    "limits.subrequests": ({"limits": {"cpuMs": 50}}, {"limits": {"cpuMs": 50, "subrequests": 9}}),
    "placement.mode": ({}, {"placement": {"mode": "smart"}}),
    "placement.region": ({}, {"placement": {"region": "aws:eu-central-1"}}),
    "placement.host": ({}, {"placement": {"host": "db.example.com:5432"}}),
    "placement.hostname": ({}, {"placement": {"hostname": "db.example.com"}}),
    "observability.enabled": ({}, {"observability": {"enabled": True}}),
    "observability.headSamplingRate": (
        {"observability": {}},
        {"observability": {"headSamplingRate": 0.5}},
    ),
    "observability.logs.enabled": (
        {"observability": {}},
        {"observability": {"logs": {"enabled": False}}},
    ),
    "observability.logs.invocationLogs": (
        {"observability": {}},
        {"observability": {"logs": {"invocationLogs": False}}},
    ),
    "observability.logs.headSamplingRate": (
        {"observability": {}},
        {"observability": {"logs": {"headSamplingRate": 0.5}}},
    ),
    "observability.traces.enabled": (
        {"observability": {"traces": {"enabled": False}}},
        {"observability": {"traces": {"enabled": True}}},
    ),
    "observability.traces.headSamplingRate": (
        {"observability": {"traces": {}}},
        {"observability": {"traces": {"headSamplingRate": 0.5}}},
    ),
    "logpush": ({}, {"logpush": True}),
    "tailConsumers[].service": (
        {"tailConsumers": [{"service": "tail-a"}]},
        {"tailConsumers": [{"service": "tail-b"}]},
    ),
    "crons": ({}, {"crons": ["0 3 * * *"]}),
}
CLIENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    **WORKER,
    "source": ({}, {"source": "other.js"}),
    "uploadSourceMaps": ({}, {"uploadSourceMaps": True}),
    "rules[].type": (importing(PAGES), importing(PAGES | {"type": "Text"})),
    "rules[].globs": (importing(PAGES), importing(PAGES | {"globs": ["**/*.md"]})),
    "rules[].fallthrough": (
        importing({"type": "Data", "globs": ["**/*.md"]}, PAGES),
        importing({"type": "Data", "globs": ["**/*.md"], "fallthrough": True}, PAGES),
    ),
    "workflows.*.className": ({}, {"workflows": {"order": {"className": "Cart"}}}),
    "variables": ({}, {"variables": {"GREETING": "hello"}}),
    "secrets": ({}, {"secrets": {"TOKEN": {"environment": "TOKEN"}}}),
    "bindings": ({}, {"bindings": {"CACHE": {"type": "kv_namespace", "namespace_id": ZONE}}}),
    "queueConsumers[].queue": (consuming(), consuming(queue="PAID")),
    "queueConsumers[].queueId": (
        {"queueConsumers": [{"queueId": ZONE}]},
        {"queueConsumers": [{"queueId": "1" * 32}]},
    ),
    "queueConsumers[].deadLetterQueue": (consuming(), consuming(deadLetterQueue="PAID")),
    "queueConsumers[].batchSize": (consuming(), consuming(batchSize=20)),
    "queueConsumers[].maxWaitTimeMs": (consuming(), consuming(maxWaitTimeMs=100)),
    "queueConsumers[].maxRetries": (consuming(), consuming(maxRetries=0)),
    "queueConsumers[].retryDelay": (consuming(), consuming(retryDelay=60)),
    "queueConsumers[].maxConcurrency": (consuming(), consuming(maxConcurrency=2)),
    "databases.*.name": ({"databases": {"SHOP": {}}}, {"databases": {"SHOP": {"name": "shop"}}}),
    "databases.*.migrations": (
        {"databases": {"SHOP": {}}},
        {"databases": {"SHOP": {"migrations": "migrations"}}},
    ),
    "databases.*.migrationsPattern": (
        {"databases": {"SHOP": {"migrations": "migrations"}}},
        {"databases": {"SHOP": {"migrations": "migrations", "migrationsPattern": "migrations/*"}}},
    ),
    "databases.*.migrationsTable": (
        {"databases": {"SHOP": {"migrations": "migrations"}}},
        {"databases": {"SHOP": {"migrations": "migrations", "migrationsTable": "applied"}}},
    ),
    "databases.*.locationHint": (
        {"databases": {"SHOP": {}}},
        {"databases": {"SHOP": {"locationHint": "weur"}}},
    ),
    "databases.*.jurisdiction": (
        {"databases": {"SHOP": {}}},
        {"databases": {"SHOP": {"jurisdiction": "eu"}}},
    ),
    "durableObjects.*.className": (
        {**CART, "classMigrations": [{"tag": "v1", "newSqliteClasses": ["Cart", "Basket"]}]},
        {
            "durableObjects": {"CARTS": {"className": "Basket"}},
            "classMigrations": [{"tag": "v1", "newSqliteClasses": ["Cart", "Basket"]}],
        },
    ),
    "classMigrations[].tag": (
        BEGUN,
        {**CART, "classMigrations": [{"tag": "first", "newSqliteClasses": ["Cart"]}]},
    ),
    "classMigrations[].newSqliteClasses": (
        BEGUN,
        {**CART, "classMigrations": [{"tag": "v1", "newSqliteClasses": ["Cart", "Basket"]}]},
    ),
    "classMigrations[].renamedClasses[].from": (
        {
            **CART,
            "classMigrations": [
                {"tag": "v1", "newSqliteClasses": ["A", "B"]},
                {
                    "tag": "v2",
                    "renamedClasses": [{"from": "A", "to": "Cart"}],
                    "deletedClasses": ["B"],
                },
            ],
        },
        {
            **CART,
            "classMigrations": [
                {"tag": "v1", "newSqliteClasses": ["A", "B"]},
                {
                    "tag": "v2",
                    "renamedClasses": [{"from": "B", "to": "Cart"}],
                    "deletedClasses": ["A"],
                },
            ],
        },
    ),
    "classMigrations[].renamedClasses[].to": (
        BEGUN,
        {"durableObjects": {"CARTS": {"className": "Basket"}}, "classMigrations": RENAMED},
    ),
    "classMigrations[].deletedClasses": (
        BEGUN,
        {"classMigrations": [*BEGUN["classMigrations"], {"tag": "v2", "deletedClasses": ["Cart"]}]},
    ),
    "classMigrations[].transferredClasses[].from": (
        CART | moved(),
        CART | moved(**{"from": "Older"}),
    ),
    "classMigrations[].transferredClasses[].fromScript": (
        CART | moved(),
        CART | moved(fromScript="another"),
    ),
    "classMigrations[].transferredClasses[].to": (
        CART | moved(),
        {"durableObjects": {"CARTS": {"className": "Basket"}}} | moved(to="Basket"),
    ),
    "assets.directory": serving({}, {"directory": "other"}),
    "assets.binding": serving({}, {"binding": "ASSETS"}),
    "assets.htmlHandling": serving({}, {"htmlHandling": "none"}),
    "assets.notFoundHandling": serving({}, {"notFoundHandling": "404-page"}),
    "assets.runWorkerFirst": serving({}, {"runWorkerFirst": ["/api/*"]}),
    "rpc": ({}, {"rpc": True}),
}
#: For each setting of a store that a binding makes, after the key that makes it.
OWN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    f"{key}.{path}": ({**store.settings, **before}, {**store.settings, **after})
    for key, store in OWN_STORES.items()
    for path, (before, after) in store.fields.items()
}
STACK: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    **WORKER,
    "accountId": ({}, {"accountId": "e" * 32}),
    "tenant": ({}, {"tenant": "acme"}),
    "environment": ({}, {"environment": "staging"}),
    "clientOverrides": ({}, {"clientOverrides": {"orders": {"logpush": True}}}),
    "allowedOrigins": ({}, {"allowedOrigins": ["https://shop.example.com"]}),
    "debug": ({}, {"debug": True}),
    "retentionDays": ({}, {"retentionDays": 30}),
    "stuckAfterMinutes": ({}, {"stuckAfterMinutes": 30}),
    "apiKeys": ({}, {"apiKeys": [1, 2]}),
    "apiKeyInUse": ({"apiKeys": [1, 2]}, {"apiKeys": [1, 2], "apiKeyInUse": 2}),
    "names.service": ({}, {"names": {"service": "tracker"}}),
    "names.database": ({}, {"names": {"database": "tracking"}}),
    "names.clients": ({}, {"names": {"clients": {"orders": "shop"}}}),
    "names.workflows": ({}, {"names": {"workflows": {"order": "shop-order"}}}),
    "suspended": ({}, {"suspended": True}),
    "trackerTag": ({}, {"trackerTag": "tracker-v1"}),
    "protect": ({}, {"protect": False}),
}


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The fields of a model as patterns: `limits.cpuMs`, `routes[].zoneId`, `databases.*.name`."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        inner = _models(field.annotation)
        if len(inner) == 1 and inner[0] is not ClientConfig and path not in ELSEWHERE:
            yield from fields(inner[0], f"{path}{_container(field.annotation)}.")
        elif not (inner and inner[0] is ClientConfig):
            yield path


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _models(argument)]


def _container(annotation: Any) -> str:
    text = str(annotation)
    return "[]" if text.startswith("list[") else ".*" if text.startswith("dict[") else ""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fields")
    (root / "index.js").write_text(SOURCE)
    (root / "other.js").write_text(f"// another file\n{SOURCE}export const other = 1;\n")
    (root / "page.js").write_text(f'export {{ default as page }} from "./page.html";\n{SOURCE}')
    (root / "page.html").write_text("page")
    for folder in ("migrations", "public", "other"):
        (root / folder).mkdir()
    (root / "other" / "index.html").write_text("other")
    (root / "migrations" / "0001_items.sql").write_text("CREATE TABLE items (sku TEXT);\n")
    return root


#: By configuration: most fields are compared with the same deployment.
_DEPLOYED: dict[str, dict[str, str]] = {}


def deployed(project: Path, stack: Mapping[str, Any], client: Mapping[str, Any]) -> dict[str, str]:
    """Return what the program declares and the Workers' code, with some configuration laid over."""
    config = {**BASE, **stack, "clients": {"orders": {**ORDERS, **client}}}
    text = yaml.safe_dump(
        {
            "name": "shop",
            "runtime": "python",
            "config": {f"flowflare:{key}": {"value": value} for key, value in config.items()},
        }
    )
    if text not in _DEPLOYED:
        (project / "Pulumi.yaml").write_text(text)
        (project / "Pulumi.dev.yaml").write_text("config: {}\n")
        before = Path.cwd()
        os.chdir(project)
        try:
            _DEPLOYED[text] = declared_by(project)
        finally:
            os.chdir(before)
    return _DEPLOYED[text]


def test_each_field_has_another_value_here_or_says_where_it_acts() -> None:
    assert set(fields(StackConfig)) == {*STACK, *ELSEWHERE}
    assert set(fields(ClientConfig)) == set(CLIENT)
    settings = own_settings().items()
    assert {field for key, model in settings for field in fields(model, f"{key}.")} == set(OWN)


@pytest.mark.parametrize("field", STACK)
def test_a_field_of_the_stack_reaches_the_deployment(project: Path, field: str) -> None:
    before, after = STACK[field]
    assert deployed(project, before, {}) != deployed(project, after, {})


@pytest.mark.parametrize("field", CLIENT)
def test_a_field_of_a_client_reaches_the_deployment(project: Path, field: str) -> None:
    before, after = CLIENT[field]
    assert deployed(project, {}, before) != deployed(project, {}, after)


@pytest.mark.parametrize("field", OWN)
def test_a_setting_of_a_store_reaches_the_deployment(project: Path, field: str) -> None:
    before, after = (
        deployed(project, {}, {"bindings": {"STORE": {field.partition(".")[0]: settings}}})
        for settings in OWN[field]
    )
    assert before != after
