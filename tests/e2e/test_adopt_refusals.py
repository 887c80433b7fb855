"""What is not taken over, and that nothing is written then."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from flowflare.state.location import backend_of
from tests.e2e.by_hand import ByHand, by_hand
from tests.e2e.conftest import Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.e2e.test_adopt_original import FILES, FOUND, SECRET, install
from tests.unit.migrations.test_original import ORIGINAL

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
SERVICE = "flowflare-service"


@pytest.fixture(scope="module")
def install_once(
    tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare
) -> Iterator[tuple[ByHand, str]]:
    project = make_project(tmp_path_factory.mktemp("refused") / "shop", cloudflare)
    with by_hand(project, cloudflare) as somebody:
        yield somebody, install(somebody, key=SECRET)


@pytest.fixture
def hand(install_once: tuple[ByHand, str]) -> Iterator[ByHand]:
    """The install, which no test may change nor take over."""
    somebody, _ = install_once
    file = somebody.project.root / "Pulumi.local.yaml"
    text, last = file.read_text(), somebody.project.account.last_request()
    yield somebody
    writes = somebody.project.account.writes(last)
    assert [one for one in writes if not one.endswith("/query")] == []
    file.write_text(text)
    assert state(somebody.project) is None


def state(project: Project) -> Any:
    return backend_of(project.root, "flowflare", "local", {}).load()


def refused(hand: ByHand, *words: str) -> str:
    """What it says; the stack's file is as it was."""
    file = hand.project.root / "Pulumi.local.yaml"
    before = file.read_text()
    said = hand.adopt(*FOUND, *words, code=1).err
    assert file.read_text() == before
    return said


def test_nobody_knows_the_key_or_it_is_another_one(hand: ByHand) -> None:
    said = hand.run("adopt", *FOUND, code=1).err
    assert "which Cloudflare does not return" in said
    assert "--api-key-file" in said
    assert "--new-api-key" in said
    wrong = hand.project.root / "wrong.txt"
    wrong.write_text("two words")
    said = hand.run("adopt", "--api-key-file", str(wrong), code=1).err
    assert "does not contain a valid API key" in said
    assert "two words" not in said


def test_an_account_without_anything_of_it(hand: ByHand) -> None:
    hand.project.edit("Pulumi.local.yaml", hand.project.account.identity, "e" * 32)
    assert "has none of the resources that the program declares" in refused(hand)


def test_tables_that_are_others_are_named(hand: ByHand, install_once: tuple[ByHand, str]) -> None:
    hand.sql(install_once[1], "CREATE TABLE notes (id INTEGER);")
    said = refused(hand)
    assert "table notes is in the database, and no file makes it" in said
    hand.sql(install_once[1], "DROP TABLE notes;")


def test_a_name_that_no_part_has(hand: ByHand) -> None:
    said = hand.adopt("--names", "clients.mails=x", code=1).err
    assert "clients.orders" in said


def test_what_another_stack_owns_and_a_database_that_the_script_does_not_use(
    project: Project, cloudflare: Cloudflare
) -> None:
    with by_hand(project, cloudflare) as hand:
        uuid = install(hand, key=SECRET)
        other = project.root / "Pulumi.other.yaml"
        shutil.copy(project.root / "Pulumi.local.yaml", other)
        hand.adopt(*FOUND, "--stack", "other")
        said = refused(hand)
        assert "belongs to stack flowflare/other" in said
        assert state(project) is None
        hand.database("another-db")
        said = hand.adopt("--names", "found", "--names", "database=another-db", code=1).err
        assert "uses the D1 database flowflare-db as DB" in said
        # Made anew by hand it is another database than the one in state.
        hand.call("DELETE", f"/d1/database/{uuid}")
        hand.database("flowflare-db", *FILES)
        said = hand.adopt("--stack", "other", code=1).err
        assert f"is in the stack's state as {uuid}" in said


def test_the_originals_tables_are_known_and_their_rows_can_come_along(
    project: Project, cloudflare: Cloudflare
) -> None:
    with by_hand(project, cloudflare) as hand:
        uuid = hand.database("local-flowflare-db")
        hand.sql(uuid, ORIGINAL)
        assert "did not create it" in hand.run("up", code=1).err
        said = hand.adopt(code=1).err
        assert "has the tables of the original Flowflare" in said
        assert "--convert-original" in said
        file = project.root / "convert.sql"
        hand.run("adopt", "--convert-original", str(file))
        hand.sql(uuid, file.read_text())
        document = json.loads(hand.adopt("--json").out)
        assert [one["database"] for one in document["baselines"]] == ["local-flowflare-db"]
        assert hand.sql(uuid, "SELECT count(*) AS runs FROM workflow_runs") == [{"runs": 2}]
        hand.run("up")
        assert hand.changes() == {}
