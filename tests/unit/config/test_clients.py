"""How the configuration of clients becomes a model."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import create_model

from flowflare.config import resolve
from flowflare.config.load import load_stack
from flowflare.errors import ConfigError
from flowflare.model.class_migrations import ClassMigration, RenamedClass, TransferredClass
from flowflare.model.client import BoundSpec, ClientSpec, DatabaseSpec, DurableObjectSpec
from flowflare.model.secret_sources import EnvironmentSource, FileSource
from flowflare.model.stack import StackSpec
from flowflare.model.worker import DomainSpec, RouteSpec
from flowflare.model.written import Written
from flowflare.model.written_secrets import Secret
from tests.support.own_stores import OWN_STORES

ZONE = "0123456789abcdef0123456789abcdef"


def load(clients: Mapping[str, object], **flat: object) -> StackSpec:
    values = {"accountId": "f" * 32, "clients": clients} | flat
    texts = {
        f"flowflare:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }
    return load_stack(texts, project="shop", stack="dev")


def client(**fields: object) -> ClientSpec:
    [found] = load({"orders": {"source": "a.js"} | fields}).clients
    return found


def problems(clients: Mapping[str, object]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(clients)
    return [problem.message for problem in caught.value.problems]


def test_a_variable_is_a_text_or_json() -> None:
    found = client(variables={"ONE": 1, "YES": True, "LIST": [1, {"a": None}]}).variables
    assert found == {"ONE": "1", "YES": "true", "LIST": [1, {"a": None}]}


def test_a_binding_separates_its_secrets_from_its_fields() -> None:
    key = {
        "type": "secret_key",
        "algorithm": "HMAC",
        "format": "raw",
        "usages": ["sign"],
        "key_base64": {"file": "a.key"},
    }
    found = client(bindings={"KEY": key, "NEW": {"type": "new", "a": {"b": 1}}})
    assert found.bindings == (
        BoundSpec(
            name="KEY",
            type="secret_key",
            fields={"algorithm": "HMAC", "format": "raw", "usages": ["sign"]},
            secrets={"key_base64": FileSource(path="a.key")},
        ),
        BoundSpec(name="NEW", type="new", fields={"a": {"b": 1}}),
    )


def test_secrets_inside_of_settings_are_separated_by_their_path() -> None:
    origin = create_model("Origin", __base__=Written, host=str, password=Secret)
    settings = create_model("Settings", __base__=Written, name=str, origin=origin)
    written = settings.model_validate(
        {"name": "shop", "origin": {"host": "db", "password": {"environment": "PASSWORD"}}}
    )

    assert resolve._split_secrets(written) == (
        {"name": "shop", "origin": {"host": "db"}},
        {"origin.password": EnvironmentSource(variable="PASSWORD")},
    )


def test_a_resource_of_a_binding_is_named_after_client_and_binding() -> None:
    [cache, shared] = client(
        bindings={"CACHE": {"kvNamespace": {}}, "SHARED": {"kvNamespace": {"name": "sessions"}}}
    ).own

    assert (cache.binding, cache.name) == ("CACHE", "dev-flowflare-orders-cache")
    assert cache.bound_as == "kv_namespace"
    assert (shared.name, shared.part) == ("sessions", "shared-kv-namespace")


def test_wrong_settings_of_a_bindings_resource_are_reported_at_the_binding() -> None:
    found = problems({"orders": {"source": "a.js", "bindings": {"C": {"kvNamespace": {"id": 1}}}}})

    assert [message for message in found if "clients.orders.bindings.C.kvNamespace" in message]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"password": "s3cret"}, ".origin.password`: is written in plain text"),
        ({"port": None}, ".origin`: does not say in exactly one way where the database is"),
        ({"serviceId": "a"}, ".origin`: does not say in exactly one way where the database is"),
        ({"accessClientId": "a"}, ".origin`: does not say in exactly one way where"),
        ({"scheme": "sqlite"}, ".origin.scheme`"),
    ],
)
def test_a_wrong_origin_is_reported_without_its_secret(
    change: dict[str, Any], message: str
) -> None:
    settings = copy.deepcopy(OWN_STORES["hyperdrive"].settings)
    written = {**settings["origin"], **change}
    origin = {key: value for key, value in written.items() if value is not None}
    bindings = {"PG": {"hyperdrive": {**settings, "origin": origin}}}
    found = problems({"orders": {"source": "a.js", "bindings": bindings}})

    assert [each for each in found if f"bindings.PG.hyperdrive{message}" in each]
    assert "s3cret" not in str(found)


def test_a_disabled_cache_has_no_times() -> None:
    settings = {**OWN_STORES["hyperdrive"].settings, "caching": {"disabled": True, "maxAge": 5}}
    bindings = {"PG": {"hyperdrive": settings}}
    [found] = problems({"orders": {"source": "a.js", "bindings": bindings}})

    assert found.endswith("PG.hyperdrive.caching`: sets times of a cache that is disabled")


def test_names_of_bindings_resources_are_checked_before_anything_is_created() -> None:
    long = "a" * 40
    bindings = {
        "FILES": {"r2Bucket": {"name": "my_files"}},
        "ORDERS": {"queue": {"name": "-orders"}},
        "SHARED": {"queue": {"name": "jobs"}},
    }
    found = problems(
        {
            "orders": {"source": "a.js", "bindings": bindings},
            long: {"source": "a.js", "bindings": {"CACHE": {"kvNamespace": {}}}},
            "other": {"source": "a.js", "bindings": {"JOBS": {"queue": {"name": "jobs"}}}},
            "twice": {"source": "a.js", "bindings": {"MY_Q": {"queue": {}}, "my_q": {"queue": {}}}},
        }
    )

    start = "`flowflare:clients.orders.bindings"
    assert f"{start}.FILES.r2Bucket.name`: is 'my_files', which is not a valid name" in found
    assert f"{start}.ORDERS.queue.name`: is '-orders', which is not a valid name" in found
    assert [each for each in found if f"{long}.bindings.CACHE" in each and "characters" in each]
    assert [each for each in found if "other.bindings.JOBS" in each and "also the name" in each]
    assert [each for each in found if "twice.bindings.my_q" in each and "same resource" in each]


def test_a_consumer_finds_its_queues_by_the_bindings_that_make_them() -> None:
    orders = {
        "source": "a.js",
        "bindings": {"JOBS": {"queue": {}}, "FAILED": {"queue": {"name": "failed"}}},
        "queueConsumers": [{"queue": "JOBS", "deadLetterQueue": "FAILED", "batchSize": 20}],
    }
    billing = {
        "source": "a.js",
        "bindings": {"PAID": {"queue": {}}},
        "queueConsumers": [
            {"queue": "PAID", "deadLetterQueue": "orders.FAILED"},
            {"queueId": ZONE, "deadLetterQueue": "elsewhere"},
        ],
    }
    [paid, outside], [jobs] = (
        client.queue_consumers for client in load({"orders": orders, "billing": billing}).clients
    )

    assert (jobs.queue, jobs.queue_name) == ("orders.JOBS", "dev-flowflare-orders-jobs")
    assert (jobs.dead_letter_binding, jobs.dead_letter_queue) == ("orders.FAILED", "failed")
    assert jobs.settings["batchSize"] == 20
    assert (paid.part, paid.dead_letter_queue) == ("billing-paid-queue-consumer", "failed")
    assert (outside.queue_id, outside.dead_letter_queue) == (ZONE, "elsewhere")
    assert outside.list_references() == ()
    suspended = load({"orders": orders}, suspended="true").clients
    assert suspended[0].queue_consumers == ()


def test_a_consumer_says_what_is_wrong_with_its_queues() -> None:
    bindings = {"JOBS": {"queue": {}}, "CACHE": {"kvNamespace": {}}}
    consumers = [
        {"queue": "JOB"},
        {"queue": "CACHE"},
        {"queue": "JOBS", "deadLetterQueue": "JOBS"},
        {"queue": "orders.JOBS", "deadLetterQueue": "FAILED", "batchSize": 101},
        {"queue": "JOBS", "queueId": ZONE},
        {},
        {"queueId": "short"},
    ]
    clients = {"orders": {"source": "a.js", "bindings": bindings, "queueConsumers": consumers}}
    found = [each.removeprefix("`flowflare:clients.orders.") for each in problems(clients)]

    assert "queueConsumers.0.queue`: no binding makes the queue `orders.JOB`" in found
    assert "queueConsumers.1.queue`: no binding makes the queue `orders.CACHE`" in found
    assert [each for each in found if each.startswith("queueConsumers.2.deadLetterQueue`: is the")]
    assert [each for each in found if each.startswith("queueConsumers.3`: `flowflare:clients.o")]
    assert [each for each in found if each.startswith("queueConsumers.3.deadLetterQueue`: no bind")]
    assert [each for each in found if each.startswith("queueConsumers.3.batchSize")]
    assert len([each for each in found if "must have either `queue` or `queueId`" in each]) == 2
    assert "queueConsumers.6.queueId`: is 'short', which is not the ID of a queue" in found


def test_a_secret_text_binding_is_a_secret() -> None:
    found = client(bindings={"KEY": {"type": "secret_text", "text": {"environment": "A"}}})
    assert found.secrets == {"KEY": EnvironmentSource(variable="A")}
    assert found.bindings == ()


def test_a_database_is_named_after_client_and_binding() -> None:
    databases = {"My_DB": {"migrations": "m", "jurisdiction": "eu"}, "OLD": {"name": "old"}}
    assert client(databases=databases).databases == (
        DatabaseSpec(
            binding="My_DB",
            database_name="dev-flowflare-orders-my-db",
            migrations="m",
            jurisdiction="eu",
        ),
        DatabaseSpec(binding="OLD", database_name="old"),
    )


def test_class_migrations_keep_their_order() -> None:
    found = client(
        durableObjects={"CARTS": {"className": "Cart"}},
        classMigrations=[
            {"tag": "v1", "newSqliteClasses": ["Basket"]},
            {"tag": "v2", "renamedClasses": [{"from": "Basket", "to": "Cart"}]},
            {
                "tag": "v3",
                "transferredClasses": [{"from": "A", "fromScript": "old", "to": "B"}],
            },
        ],
    )
    assert found.durable_objects == (DurableObjectSpec(binding="CARTS", class_name="Cart"),)
    assert found.class_migrations == (
        ClassMigration(tag="v1", new_sqlite_classes=("Basket",)),
        ClassMigration(tag="v2", renamed_classes=(RenamedClass(old="Basket", new="Cart"),)),
        ClassMigration(
            tag="v3",
            transferred_classes=(TransferredClass(old="A", from_script="old", new="B"),),
        ),
    )


def test_service_and_client_have_the_same_keys_for_addresses_and_settings() -> None:
    fields: dict[str, object] = {
        "routes": [{"pattern": "a.example.com/*", "zoneId": ZONE}],
        "domains": [{"hostname": "b.example.com", "zoneId": ZONE}],
        "limits": {"cpuMs": 10},
        "placement": {"mode": "smart"},
        "observability": {"headSamplingRate": 0.5},
        "logpush": True,
        "tailConsumers": [{"service": "tail"}],
        "crons": ["0  3 * * *"],
    }
    service = load({}, **(fields | {"logpush": "true"})).service
    found = client(**fields)
    for worker in (service, found):
        assert worker.routes == (RouteSpec(pattern="a.example.com/*", zone_id=ZONE),)
        assert worker.domains == (DomainSpec(hostname="b.example.com", zone_id=ZONE),)
        assert worker.settings == {
            "limits": {"cpu_ms": 10},
            "placement": {"mode": "smart"},
            "observability": {
                "enabled": True,
                "head_sampling_rate": 0.5,
                "logs": {"enabled": True, "invocation_logs": True, "head_sampling_rate": 1.0},
            },
            "logpush": True,
            "tail_consumers": [{"service": "tail"}],
        }
        assert worker.tail_consumers == ("tail",)
        assert worker.crons == ("0 3 * * *",)


def test_databases_of_two_clients_must_not_share_a_name() -> None:
    clients = {
        "a": {"source": "a.js", "databases": {"B_C": {}}},
        "a-b": {"source": "b.js", "databases": {"C": {}, "D": {"name": "dev-flowflare-db"}}},
    }
    assert problems(clients) == [
        "`flowflare:clients.a-b.databases.D`: its name in the account, dev-flowflare-db, is also "
        "the name of `db`",
        "`flowflare:clients.a-b.databases.C`: would be the same resource as "
        "`flowflare:clients.a.databases.B_C`",
    ]
