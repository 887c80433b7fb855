"""If resources cannot be adopted, the command names them and writes nothing."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from flowflare.config.files import read_project_file
from flowflare.state.location import open_backend
from tests.e2e.conftest import Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.e2e.manual_account import ManualAccount, open_manual_account
from tests.e2e.test_adopt_original import FILES, FOUND, SECRET, install
from tests.unit.migrations.test_original import ORIGINAL

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
SERVICE = "flowflare-service"
SERVICE_OF_STACK = "local-flowflare-service"


@pytest.fixture(scope="module")
def install_once(
    tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare
) -> Iterator[tuple[ManualAccount, str]]:
    project = make_project(tmp_path_factory.mktemp("refused") / "shop", cloudflare)
    with open_manual_account(project, cloudflare) as manual:
        yield manual, install(manual, key=SECRET)


@pytest.fixture
def manual(install_once: tuple[ManualAccount, str]) -> Iterator[ManualAccount]:
    """Return the installation, which no test may change or adopt."""
    manual, _ = install_once
    file = manual.project.root / "Pulumi.local.yaml"
    text, last = file.read_text(), manual.project.account.find_last_request()
    yield manual
    writes = manual.project.account.list_writes(last)
    assert [write for write in writes if not write.endswith("/query")] == []
    file.write_text(text)
    assert load_state(manual.project) is None


def load_state(project: Project) -> Any:
    return open_backend(read_project_file(project.root), "local", {}).load()


def adopt_refused(manual: ManualAccount, *words: str) -> str:
    """Return the error of a refused adoption; the stack's file stays as it is."""
    file = manual.project.root / "Pulumi.local.yaml"
    before = file.read_text()
    error = manual.adopt(*FOUND, *words, code=1).err
    assert file.read_text() == before
    return error


def test_an_unknown_api_key_must_be_given_and_must_be_valid(manual: ManualAccount) -> None:
    error = manual.run("adopt", *FOUND, code=1).err
    assert "which Cloudflare does not return" in error
    assert "--api-key-file" in error
    assert "--new-api-key" in error
    wrong = manual.project.root / "wrong.txt"
    wrong.write_text("two words")
    error = manual.run("adopt", "--api-key-file", str(wrong), code=1).err
    assert "does not contain a valid API key" in error
    assert "two words" not in error


def test_an_account_without_any_declared_resource_is_refused(manual: ManualAccount) -> None:
    manual.project.edit("Pulumi.local.yaml", manual.project.account.identity, "e" * 32)
    assert "has none of the resources that the program declares" in adopt_refused(manual)


def test_a_table_that_no_migration_creates_is_named(
    manual: ManualAccount, install_once: tuple[ManualAccount, str]
) -> None:
    manual.run_sql(install_once[1], "CREATE TABLE notes (id INTEGER);")
    error = adopt_refused(manual)
    assert "table notes is in the database, and no file makes it" in error
    manual.run_sql(install_once[1], "DROP TABLE notes;")


def test_a_name_for_an_unknown_part_is_refused(manual: ManualAccount) -> None:
    error = manual.adopt("--names", "clients.mails=x", code=1).err
    assert "clients.orders" in error


def test_resources_of_another_stack_and_an_unused_database_are_refused(
    project: Project, cloudflare: Cloudflare
) -> None:
    with open_manual_account(project, cloudflare) as manual:
        uuid = install(manual, key=SECRET)
        other = project.root / "Pulumi.other.yaml"
        shutil.copy(project.root / "Pulumi.local.yaml", other)
        manual.adopt(*FOUND, "--stack", "other")
        error = adopt_refused(manual)
        assert f"does not have {SERVICE_OF_STACK}, and {SERVICE} belongs to stack" in error
        assert "belongs to stack flowflare/other" in error
        assert load_state(project) is None
        named = ("--names", f"service={SERVICE}")
        assert "belongs to stack flowflare/other" in adopt_refused(manual, *named)
        manual.create_database("another-db")
        error = manual.adopt(*named, "--names", "database=another-db", code=1).err
        assert "uses the D1 database flowflare-db as DB" in error
        # A database that was created again by hand is not the one in state.
        manual.call("DELETE", f"/d1/database/{uuid}")
        manual.create_database("flowflare-db", *FILES)
        error = manual.adopt("--stack", "other", code=1).err
        assert f"is in the stack's state as {uuid}" in error


def test_the_originals_tables_are_recognised_and_their_rows_can_be_converted(
    project: Project, cloudflare: Cloudflare
) -> None:
    with open_manual_account(project, cloudflare) as manual:
        uuid = manual.create_database("local-flowflare-db")
        manual.run_sql(uuid, ORIGINAL)
        assert "did not create it" in manual.run("up", "--yes", code=1).err
        error = manual.adopt(code=1).err
        assert "has the tables of the original Flowflare" in error
        assert "--convert-original" in error
        file = project.root / "convert.sql"
        manual.run("adopt", "--convert-original", str(file))
        manual.run_sql(uuid, file.read_text())
        document = json.loads(manual.adopt("--json").out)
        assert [each["database"] for each in document["baselines"]] == ["local-flowflare-db"]
        assert manual.run_sql(uuid, "SELECT count(*) AS runs FROM workflow_runs") == [{"runs": 2}]
        manual.run("up", "--yes")
        assert manual.plan_changes() == {}


def test_an_up_overwrites_no_worker_that_the_stack_did_not_create(
    project: Project, cloudflare: Cloudflare
) -> None:
    with open_manual_account(project, cloudflare) as manual:
        manual.upload(
            "local-flowflare-orders", 'export default { fetch: () => new Response("mine") }'
        )
        since = project.account.find_last_request()
        error = manual.run("up", code=1).err
        assert "local-flowflare-orders: a script of that name exists" in error
        assert "flowflare adopt --stack local" in error
        assert project.account.list_writes(since) == []
        manual.call("DELETE", "/workers/scripts/local-flowflare-orders")
        manual.run("up")
        manual.run("up")
