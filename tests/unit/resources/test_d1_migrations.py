"""What the provider of D1 migrations refuses in advance, and which requests it makes for that."""

import hashlib
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import Unknown

from flowflare.resources.providers import D1MigrationsProvider
from tests.unit.fake_api import ACCOUNT, DATABASE, TOKEN, FakeApi

Props = dict[str, Any]

FIRST = {"name": "0001_create.sql", "sql": "CREATE TABLE t (a);"}
LOSING = {"name": "0002_drop.sql", "sql": "CREATE TABLE u (a);\nDROP TABLE t;"}
ACCEPTED = LOSING | {"sql": "-- flowflare: accept drop-table: it was empty\nDROP TABLE t;"}


def migrations(*files: Props) -> Props:
    return {"account_id": ACCOUNT, "database_id": DATABASE, "migrations": list(files)}


@pytest.fixture
def provider(api: FakeApi) -> D1MigrationsProvider:
    config = {"cloudflare:baseUrl": api.base_url, "cloudflare:apiToken": TOKEN}
    made = D1MigrationsProvider()
    made.configure(ConfigureRequest(Config(config, "flowflare")))
    return made


def reasons(provider: D1MigrationsProvider, old: Props, new: Props) -> list[str]:
    return [failure.reason for failure in provider.check(old, new).failures]


def test_a_pending_file_with_an_error_is_refused_with_its_line(api: FakeApi) -> None:
    [reason] = reasons(D1MigrationsProvider(), migrations(FIRST), migrations(FIRST, LOSING))
    assert reason == (
        "0002_drop.sql:2: drop-table: the rows of t are lost. Copy them before it (INSERT INTO ... "
        "SELECT). If this is intended, give a reason: `-- flowflare: accept drop-table: <reason>`"
    )
    assert reasons(D1MigrationsProvider(), {}, migrations(FIRST, LOSING)) == [reason]


def test_an_accepted_error_is_not_refused() -> None:
    assert reasons(D1MigrationsProvider(), migrations(FIRST), migrations(FIRST, ACCEPTED)) == []


def test_a_database_without_tables_has_no_rows_to_lose(
    api: FakeApi, provider: D1MigrationsProvider
) -> None:
    assert reasons(provider, {}, migrations(FIRST, LOSING)) == []
    unknown = migrations(FIRST, LOSING) | {"database_id": Unknown()}
    assert reasons(D1MigrationsProvider(), {}, unknown) == []
    # What D1 refuses in any database is refused here too.
    begins = {"name": "0002_begin.sql", "sql": "BEGIN;"}
    assert len(reasons(provider, {}, migrations(FIRST, begins))) == 1
    api.databases[DATABASE].executescript("CREATE TABLE by_hand (a);")
    assert len(reasons(provider, {}, migrations(FIRST, LOSING))) == 1


def test_an_accept_comment_changes_nothing_for_a_state_of_release_0_1(
    provider: D1MigrationsProvider,
) -> None:
    """Its checksums are those of the whole text, with the comments that the file had then."""
    without = ACCEPTED | {"sql": "DROP TABLE t;"}
    for applied in (ACCEPTED, without):
        rows = [
            {"name": file["name"], "checksum": hashlib.sha256(file["sql"].encode()).hexdigest()}
            for file in (FIRST, applied)
        ]
        state = migrations(FIRST, applied) | {"applied": rows}
        assert provider.diff(DATABASE, state, migrations(FIRST, ACCEPTED)).changes is False
    edited = ACCEPTED | {"sql": ACCEPTED["sql"] + "DROP TABLE u;"}
    assert provider.diff(DATABASE, state, migrations(FIRST, edited)).changes is True


def test_files_of_a_deployed_stack_are_not_checked_again(
    api: FakeApi, provider: D1MigrationsProvider
) -> None:
    files = migrations(FIRST, LOSING)
    assert reasons(provider, files, files) == []
    assert api.requests == []


def test_files_that_wrangler_applied_are_not_checked(provider: D1MigrationsProvider) -> None:
    provider.create(migrations(FIRST, LOSING))
    assert reasons(provider, migrations(FIRST), migrations(FIRST, LOSING)) == []


def test_a_file_may_be_edited_after_the_database_was_rolled_back_before_it(
    api: FakeApi, provider: D1MigrationsProvider
) -> None:
    second = {"name": "0002_more.sql", "sql": "CREATE TABLE u (a);"}
    edited = second | {"sql": "CREATE TABLE u (a, b);"}
    made = provider.create(migrations(FIRST, second))
    assert reasons(provider, migrations(FIRST, second), migrations(FIRST, edited)) != []
    api.databases[DATABASE].executescript(
        "DROP TABLE u; DELETE FROM d1_migrations WHERE name = '0002_more.sql'; "
        "DELETE FROM flowflare_migrations WHERE name = '0002_more.sql';"
    )
    assert reasons(provider, migrations(FIRST, second), migrations(FIRST, edited)) == []
    assert provider.diff(DATABASE, made.outs or {}, migrations(FIRST, edited)).changes is True
    outs = provider.update(DATABASE, made.outs or {}, migrations(FIRST, edited)).outs
    assert [row["name"] for row in outs["applied"]] == ["0001_create.sql", "0002_more.sql"]


def test_a_database_that_does_not_respond_does_not_change_a_refusal(
    api: FakeApi, provider: D1MigrationsProvider
) -> None:
    api.databases.clear()
    assert len(reasons(provider, migrations(FIRST), migrations(FIRST, LOSING))) == 1
