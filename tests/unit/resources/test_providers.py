"""The dynamic providers with a fake API on localhost."""

import base64
import pickle
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider
from pulumi.output import Unknown

from flowflare.errors import ApiError, ClassMigrationError, MigrationError, SecretError
from flowflare.resources.providers import (
    ApiKeyProvider,
    CronCleanupProvider,
    D1MigrationsProvider,
    DurableObjectMigrationsProvider,
    ScriptBindingsProvider,
    SecretValueProvider,
    WorkersDevUrlProvider,
)
from tests.unit.fake_api import ACCOUNT, DATABASE, TOKEN, FakeApi, Script

Props = dict[str, Any]

FILES = [
    {"name": "0001_create.sql", "sql": "CREATE TABLE t (a);"},
    {"name": "0002_fill.sql", "sql": "INSERT INTO t VALUES (1);"},
]
ORDERS = {"account_id": ACCOUNT, "script_name": "orders"}
V1 = {"tag": "v1", "new_sqlite_classes": ["Tracker"]}
V2 = {"tag": "v2", "new_sqlite_classes": ["Other"]}


def configure(provider: ResourceProvider, api: FakeApi) -> Any:
    config = {"cloudflare:baseUrl": api.base_url, "cloudflare:apiToken": TOKEN}
    provider.configure(ConfigureRequest(Config(config, "flowflare")))
    return provider


def migrations(*files: Props, database: Any = DATABASE) -> Props:
    return {"account_id": ACCOUNT, "database_id": database, "migrations": list(files)}


def script(*history: Props, name: str = "service", content: str = "export {};") -> Props:
    return {
        "account_id": ACCOUNT,
        "script_name": name,
        "database_id": DATABASE,
        "bindings": [{"type": "d1", "name": "DB", "id": DATABASE}],
        "main_module": "worker.js",
        "content": content,
        "compatibility_date": "2026-11-01",
        "compatibility_flags": [],
        "history": list(history),
    }


@pytest.mark.parametrize(
    ("provider", "reference"),
    [
        (ApiKeyProvider(), "ApiKeyProvider"),
        (CronCleanupProvider(), "CronCleanupProvider"),
        (D1MigrationsProvider(), "D1MigrationsProvider"),
        (DurableObjectMigrationsProvider(), "DurableObjectMigrationsProvider"),
        (ScriptBindingsProvider(), "ScriptBindingsProvider"),
        (SecretValueProvider(), "SecretValueProvider"),
        (WorkersDevUrlProvider(), "WorkersDevUrlProvider"),
    ],
)
def test_a_provider_is_stored_as_a_reference(provider: ResourceProvider, reference: str) -> None:
    stored = pickle.dumps(provider, protocol=4)
    assert b"flowflare.resources.providers" in stored
    assert reference.encode() in stored
    assert len(stored) < 100
    assert provider.serialize_as_secret_always is False


def test_a_reference_in_an_existing_state_still_loads() -> None:
    kept = (
        "gASVSAAAAAAAAACMHWZsb3dmbGFyZS5yZXNvdXJjZXMucHJvdmlkZXJzlIwfRHVyYWJsZU9iamVjdE1pZ3Jh"
        "dGlvbnNQcm92aWRlcpSTlCmBlC4="
    )
    loaded = pickle.loads(base64.b64decode(kept))
    assert isinstance(loaded, DurableObjectMigrationsProvider)


class TestApiKey:
    def test_a_key_is_made_once(self) -> None:
        provider = ApiKeyProvider()
        made = provider.create({"environment_name": "dev", "__provider": "x"})
        assert made.outs is not None
        assert made.outs["api_key"].startswith(f"ff_dev_{made.id}_")
        assert "__provider" not in made.outs
        assert provider.diff(made.id, made.outs, {"environment_name": "prod"}).changes is False


class TestD1Migrations:
    def test_create_then_update_apply_each_file_once(self, api: FakeApi) -> None:
        provider = configure(D1MigrationsProvider(), api)
        made = provider.create(migrations(FILES[0]))
        assert made.id == DATABASE
        assert provider.diff(made.id, made.outs, migrations(FILES[0])).changes is False
        assert provider.diff(made.id, made.outs, migrations(*FILES)).changes is True
        outs = provider.update(made.id, made.outs, migrations(*FILES)).outs
        assert [row["name"] for row in outs["applied"]] == ["0001_create.sql", "0002_fill.sql"]
        assert provider.diff(made.id, outs, migrations(*FILES)).changes is False
        assert provider.read(made.id, outs).outs == outs

    def test_a_killed_run_converges(self, api: FakeApi) -> None:
        provider = configure(D1MigrationsProvider(), api)
        first = provider.create(migrations(*FILES))
        assert provider.create(migrations(*FILES)).outs == first.outs

    def test_an_edited_file_is_refused_by_check(self) -> None:
        edited = FILES[0] | {"sql": "CREATE TABLE t (b);"}
        result = D1MigrationsProvider().check(migrations(FILES[0]), migrations(edited))
        [failure] = result.failures
        assert failure.property == "migrations"
        assert failure.reason.startswith("0001_create.sql: was edited after it was applied. ")

    def test_another_database_is_a_replacement_and_may_be_unknown(self) -> None:
        provider = D1MigrationsProvider()
        old, new = migrations(*FILES), migrations(FILES[0], database=Unknown())
        assert provider.check(old, new).failures == []
        assert provider.diff("x", old, new).replaces == ["database_id"]

    def test_a_new_database_has_only_the_tables_of_its_files(self) -> None:
        provider = D1MigrationsProvider()
        [failure] = provider.check({}, migrations(FILES[1], database=Unknown())).failures
        assert "0002_fill.sql:1: does-not-apply: after the earlier files" in failure.reason
        assert provider.check({}, migrations(FILES[1])).failures == []

    def test_diff_never_raises(self) -> None:
        assert D1MigrationsProvider().diff("x", {}, {}).changes is False

    def test_failing_sql_is_reported_with_its_file(self, api: FakeApi) -> None:
        provider = configure(D1MigrationsProvider(), api)
        broken = {"name": "0001_create.sql", "sql": "CREATE TABEL t (a);"}
        with pytest.raises(MigrationError, match=r"0001_create\.sql: the SQL failed: near"):
            provider.create(migrations(broken))

    @pytest.mark.parametrize("missing", ["the database", "the ledger"])
    def test_read_reports_a_missing_database_or_ledger(self, api: FakeApi, missing: str) -> None:
        if missing == "the database":
            api.databases.clear()
        assert configure(D1MigrationsProvider(), api).read(DATABASE, migrations()).id == ""


class TestDurableObjectMigrations:
    def test_a_new_script_gets_all_class_migrations_and_its_storage(self, api: FakeApi) -> None:
        provider = configure(DurableObjectMigrationsProvider(), api)
        made = provider.create(script(V1, V2))
        assert made.id == f"{ACCOUNT}/service"
        assert made.outs["migration_tag"] == "v2"
        live = api.scripts["service"]
        assert live.metadata["steps"] == [
            {"new_sqlite_classes": ["Tracker"]},
            {"new_sqlite_classes": ["Other"]},
        ]
        assert live.metadata["bindings"] == [{"type": "d1", "name": "DB", "id": DATABASE}]
        assert "PUT /accounts/" + ACCOUNT + "/workers/scripts/service?bindings_inherit=strict" in (
            api.requests
        )

    def test_the_work_of_a_killed_run_is_recognised_without_an_upload(self, api: FakeApi) -> None:
        provider = configure(DurableObjectMigrationsProvider(), api)
        provider.create(script(V1))
        before = len(api.requests)
        assert provider.create(script(V1)).outs["migration_tag"] == "v1"
        assert [line for line in api.requests[before:] if line.startswith("PUT")] == []

    def test_a_script_that_this_stack_did_not_make_is_refused(self, api: FakeApi) -> None:
        api.scripts["service"] = Script(metadata={"bindings": [{"type": "d1", "id": "another"}]})
        with pytest.raises(ClassMigrationError, match="this stack did not create it"):
            configure(DurableObjectMigrationsProvider(), api).create(script(V1))

    def test_an_update_sends_new_class_migrations_and_inherits_every_binding(
        self, api: FakeApi
    ) -> None:
        provider = configure(DurableObjectMigrationsProvider(), api)
        made = provider.create(script(V1))
        secret = {"type": "secret_text", "name": "SERVICE_API_KEY"}
        api.scripts["service"].metadata["bindings"].append(secret)
        outs = provider.update(made.id, made.outs, script(V1, V2, content="new")).outs
        assert outs["migration_tag"] == "v2"
        live = api.scripts["service"]
        assert live.metadata["steps"] == [{"new_sqlite_classes": ["Other"]}]
        assert live.metadata["bindings"] == [
            {"type": "inherit", "name": "DB"},
            {"type": "inherit", "name": "SERVICE_API_KEY"},
        ]
        assert live.content == "new"

    def test_a_lost_response_is_not_treated_as_a_failure(self, api: FakeApi) -> None:
        api.lose_answer_of = "PUT"
        made = configure(DurableObjectMigrationsProvider(), api).create(script(V1))
        assert made.outs["migration_tag"] == "v1"
        assert len([line for line in api.requests if line.startswith("PUT")]) == 2

    def test_a_live_tag_that_the_history_does_not_have_is_refused(self, api: FakeApi) -> None:
        provider = configure(DurableObjectMigrationsProvider(), api)
        made = provider.create(script(V1))
        api.scripts["service"].tag = "v9"
        with pytest.raises(ClassMigrationError, match="'v9' is not in the history"):
            provider.update(made.id, made.outs, script(V1, V2))

    def test_an_error_of_cloudflare_is_passed_on(self, api: FakeApi) -> None:
        provider = configure(DurableObjectMigrationsProvider(), api)
        wrong = script(V1) | {"script_name": "not a name"}
        with pytest.raises(ApiError):
            provider.create(wrong)

    def test_a_change_of_the_code_alone_is_not_a_change_here(self) -> None:
        provider = DurableObjectMigrationsProvider()
        old = script(V1) | {"migration_tag": "v1"}
        assert provider.diff("x", old, script(V1, content="new")).changes is False
        assert provider.diff("x", old, script(V1, V2)).changes is True
        renamed = provider.diff("x", old, script(V1, name="other"))
        assert renamed.replaces == ["script_name"]
        assert provider.diff("x", {}, {}).replaces == []

    def test_check_refuses_a_history_that_lost_a_class_migration(self) -> None:
        [failure] = DurableObjectMigrationsProvider().check(script(V1, V2), script(V1)).failures
        assert failure.property == "history"
        assert "'v2' was applied and is missing" in failure.reason
        assert DurableObjectMigrationsProvider().check({}, script(V1)).failures == []

    def test_read_and_delete(self, api: FakeApi) -> None:
        provider = configure(DurableObjectMigrationsProvider(), api)
        made = provider.create(script(V1))
        api.scripts["service"].tag = "v2"
        assert provider.read(made.id, made.outs).outs["migration_tag"] == "v2"
        provider.delete(made.id, made.outs)
        del api.scripts["service"]
        assert provider.read(made.id, made.outs).id == ""


class TestWorkersDevUrl:
    def test_the_url_comes_from_the_api(self, api: FakeApi) -> None:
        api.scripts["orders"] = Script()
        api.urls["orders"] = "http://127.0.0.1:9001"
        made = configure(WorkersDevUrlProvider(), api).create(ORDERS)
        assert made.outs["url"] == "http://127.0.0.1:9001"

    def test_the_url_is_below_the_accounts_subdomain(self, api: FakeApi) -> None:
        api.scripts["orders"] = Script()
        api.account_subdomain = "acme"
        provider = configure(WorkersDevUrlProvider(), api)
        made = provider.create(ORDERS)
        assert made.outs["url"] == "https://orders.acme.workers.dev"
        assert provider.diff(made.id, made.outs, ORDERS).changes is False
        del api.scripts["orders"]
        assert provider.read(made.id, made.outs).id == ""

    def test_a_script_whose_subdomain_is_disabled_has_no_url(self, api: FakeApi) -> None:
        api.scripts["orders"] = Script()
        with pytest.raises(ApiError, match="orders: it is not enabled"):
            configure(WorkersDevUrlProvider(), api).create(ORDERS)


class TestConfiguration:
    def test_the_environment_is_used_without_a_configuration(
        self, api: FakeApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", api.base_url)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
        provider = WorkersDevUrlProvider()
        provider.configure(ConfigureRequest(Config({}, "flowflare")))
        api.scripts["orders"] = Script()
        api.urls["orders"] = "http://127.0.0.1:9001"
        assert provider.create(ORDERS).id == f"{ACCOUNT}/orders"

    def test_a_missing_token_is_reported_with_a_remedy(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("CLOUDFLARE_API_TOKEN", raising=False)
        provider = WorkersDevUrlProvider()
        provider.configure(ConfigureRequest(Config({}, "flowflare")))
        with pytest.raises(SecretError, match="no API token"):
            provider.api()
