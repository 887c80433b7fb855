"""Previews of fleets: who is planned, what is shown once, what is refused; with real workers."""

import os
from pathlib import Path

import pytest
import yaml

from flowflare.cli.fleet.preview import _markdown, _refuse, _show
from flowflare.errors import FleetError
from flowflare.fleet.pending import pending
from flowflare.fleet.preview.preview import FleetPreview, preview, rollout_seconds
from flowflare.fleet.records import TenantRecord
from flowflare.fleet.session import Session, open_session
from flowflare.fleet.tenants.files import stack_files, write
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.selection import Selection
from flowflare.fleet.workers.pool import Pool, Task
from flowflare.state.passphrase import Passphrase, Vault
from tests.engine.fake_cloudflare import TOKEN, FakeCloudflare
from tests.engine.projects import CLOUD

# One process has them all: their workers are started once.
pytestmark = pytest.mark.xdist_group("fleet-previews")

PROGRAM = """
import json
import pulumi
from cloud import D1Database, WorkersScript

config = pulumi.Config("flowflare")
if config.get("environment") != "prod":
    raise ValueError("no")
account, tenant = config.require("accountId"), config.require("tenant")
D1Database("database", accountId=account, name=f"{tenant}-prod-flowflare-db")
WorkersScript(
    "script",
    accountId=account,
    scriptName=f"{tenant}-prod-flowflare-shop",
    mainModule="worker.js",
    bindings=[],
    content=f"// origins: {config.get('allowedOrigins')}\\n" + "line\\n" * 60
    + f"// debug: {config.get_bool('debug')}\\n",
)
print("hello")
"""
ACCOUNT = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"


def make(root: Path, tenants: dict) -> Path:
    (root / "infra").mkdir(parents=True)
    (root / "infra/__main__.py").write_text(PROGRAM)
    (root / "infra/cloud.py").write_text(CLOUD)
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\nmain: infra\n")
    say(root, tenants)
    return root


def say(root: Path, tenants: dict) -> None:
    defaults = {
        "engine": "embedded",
        "accountId": ACCOUNT,
        "cloudflare:baseUrl": "http://127.0.0.1:9/client/v4",
        "cloudflare:apiToken": "t" * 40,
    }
    file = {"defaults": defaults, "environments": {"prod": {}}, "tenants": tenants}
    (root / "tenants.yaml").write_text(yaml.safe_dump(file))
    write(stack_files(read_fleet(root, {}), root), root)


def opened(root: Path, *tenants: str) -> Session:
    return open_session(root, os.environ, "prod", Selection(tenants=tenants))


def record(session: Session, stack: str, **fields) -> None:
    now = pending(session.root, [stack], {}, session.environ).fingerprints[stack]
    known = {"outcome": "applied", "fingerprint": now, "at": "2026-11-24T00:00:00Z", **fields}
    session.records.write(TenantRecord(stack=stack, **known))


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[FleetPreview, list[str]]:
    """One preview that all stories look at: workers take a second to start."""
    policy = {"policies": {"name-pattern": {"pattern": "acme-.*", "severity": "error"}}}
    own = {"allowedOrigins": ["https://gamma.example"]}
    tenants = {
        "acme": {},
        "beta": {},
        "gamma": {"config": own},
        "delta": {"config": {"debug": True, **policy}},
        "done": {},
        "broken": {},
        "paused": {"status": "suspended"},
        "old": {"status": "retired"},
        "older": {"status": "retired"},
    }
    root = make(tmp_path_factory.mktemp("fleet") / "shop", tenants)
    session = opened(root)
    record(session, "done-prod")
    record(session, "beta-prod", outcome="failed", error="no")
    record(session, "old-prod")
    record(session, "older-prod", outcome="retired")
    state = root / ".flowflare/state/.pulumi/stacks/shop/broken-prod.json"
    state.parent.mkdir(parents=True)
    state.write_text("{")
    said: list[str] = []
    progress: list[tuple[int, int]] = []
    found = preview(
        session,
        diff=True,
        workers=2,
        on_event=lambda one: said.append(str(one.data.get("message"))),
        on_progress=lambda done, of: progress.append((done, of)),
    )
    assert progress[-1] == (6, 6)
    return found, said


def test_equal_changes_are_told_once_with_their_stacks(
    planned: tuple[FleetPreview, list[str]],
) -> None:
    found, said = planned
    sections = {one.stacks: one for one in found.report.sections}
    # What a stack is called by nature, and an origin of its own, make no change of its own.
    alike = sections["acme-prod", "beta-prod", "delta-prod", "gamma-prod", "paused-prod"]
    assert alike.review is not None
    [script] = [one for one in alike.review.entries if one.kind == "WorkersScript"]
    told = {one.path: one.new for one in script.changes}
    assert told["scriptName"] == "<tenant>-<environment>-flowflare-shop"
    assert alike.api_calls == 2
    assert "hello" in said


def test_who_is_not_looked_at_and_why_the_others_are(
    planned: tuple[FleetPreview, list[str]],
) -> None:
    found, _ = planned
    assert found.same_inputs == ("done-prod",)
    assert found.retired == ("old-prod",)
    assert found.why["acme-prod"] == "never applied"
    assert found.why["beta-prod"] == "failed"
    assert (found.tenants, len(found.why)) == (9, 6)


def test_what_cannot_be_planned_is_a_section_of_its_own(
    planned: tuple[FleetPreview, list[str]],
) -> None:
    found, _ = planned
    [broken] = [one for one in found.report.sections if one.review is None]
    assert broken.stacks == ("broken-prod",)
    assert "not valid JSON" in broken.error


def test_policies_are_asked(planned: tuple[FleetPreview, list[str]]) -> None:
    found, _ = planned
    assert {one.rule for one in found.report.policy} == {"name-pattern"}
    assert {one.stacks for one in found.report.policy} == {("delta-prod",)}
    assert found.stopped == 1


def test_calls_and_time_are_forecast(planned: tuple[FleetPreview, list[str]]) -> None:
    found, _ = planned
    assert found.report.api_calls == 10  # two for each of the five that change
    assert found.seconds == rollout_seconds(10, 5, 2) == 5
    # 1,200 calls go at once; each further 1,200 have to wait for 5 minutes.
    assert rollout_seconds(0, 0, 2) == 0
    assert rollout_seconds(1200, 1, 8) == 601
    assert rollout_seconds(15_000, 1000, 8) == 3600


def test_whose_inputs_are_the_ones_applied_is_planned_when_asked_for(tmp_path: Path) -> None:
    root = make(tmp_path / "shop", {"acme": {}, "beta": {}})
    record(opened(root), "acme-prod")
    found = preview(opened(root, "acme"), again=True, workers=1)
    assert found.same_inputs == ()
    assert found.why == {"acme-prod": "asked for again"}
    assert [one.stacks for one in found.report.sections] == [("acme-prod",)]


def test_nobody_to_plan_starts_no_worker(tmp_path: Path) -> None:
    root = make(tmp_path / "shop", {"acme": {}})
    record(opened(root), "acme-prod")
    found = preview(opened(root))
    assert (found.same_inputs, found.report.sections) == (("acme-prod",), ())
    assert (found.report.exit_code, found.seconds) == (0, 0)


@pytest.mark.long
def test_a_passphrase_is_asked_for_only_where_a_secret_may_be_another(tmp_path: Path) -> None:
    secrets = {"P_ACME": "acme's", "P_BETA": "beta's"}
    with FakeCloudflare() as cloudflare:
        root = make(tmp_path / "shop", {"acme": {}, "beta": {}})
        file = yaml.safe_load((root / "tenants.yaml").read_text())
        file["environments"]["prod"] = {"passphrase": {"env": "P_{TENANT}"}}
        file["defaults"]["cloudflare:baseUrl"] = cloudflare.base_url
        del file["defaults"]["cloudflare:apiToken"]  # each stack has its own, sealed
        (root / "tenants.yaml").write_text(yaml.safe_dump(file))
        write(stack_files(read_fleet(root, {}), root), root)
        for tenant, text in (("acme", "acme's"), ("beta", "beta's")):
            sealed(root / f"Pulumi.{tenant}-prod.yaml", text)
        session = open_session(root, os.environ | secrets, "prod", Selection())
        with Pool(root, session.environ_of, 2) as pool:
            assert [one.error for one in pool.run(Task("up", one) for one in STACKS)] == ["", ""]
        for stack in STACKS:
            record(session, stack)
        file["defaults"]["debug"] = True
        (root / "tenants.yaml").write_text(yaml.safe_dump(file))
        write(stack_files(read_fleet(root, {}), root), root)
        sealed(root / "Pulumi.beta-prod.yaml", "beta's")
        closed, opened = (
            preview(open_session(root, os.environ | known, "prod", Selection()), workers=1)
            for known in ({}, secrets)
        )
    # Of acme only debug is another; of beta its secret, too.
    assert {one.stacks: bool(one.review) for one in closed.report.sections} == {
        ("acme-prod",): True,
        ("beta-prod",): False,
    }
    assert "variable P_BETA has no passphrase" in closed.report.sections[0].error
    assert [one.stacks for one in opened.report.sections] == [STACKS]
    assert opened.why["beta-prod"] == "changed: configuration, secrets"


STACKS = ("acme-prod", "beta-prod")


def sealed(file: Path, passphrase: str) -> None:
    """Sets the stack's secret anew, as `pulumi config set --secret` does."""
    stack = yaml.safe_load(file.read_text())
    vault = Vault(Passphrase(passphrase, "a test"), stack.get("encryptionsalt", ""))
    stack["encryptionsalt"] = vault.salt
    stack["config"]["cloudflare:apiToken"] = {"secure": vault.seal_text(TOKEN)}
    first, _, _ = file.read_text().partition("\n")
    file.write_text(f"{first}\n{yaml.safe_dump(stack, sort_keys=False)}")


# What the command shows of it ---------------------------------------------------------------------


def test_it_is_shown_as_text_and_as_markdown(
    planned: tuple[FleetPreview, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    _show(planned[0])
    text, markdown = capsys.readouterr().out, _markdown(planned[0], 60_000)
    assert "the stacks' state -> the files of prod" in text
    assert "5 stacks: acme-prod, beta-prod, delta-prod, gamma-prod, paused-prod" in text
    for said in (text, markdown):
        assert "1 stack has the inputs last applied: not looked at, no call needed." in said
        assert "2 API calls for each tenant that changes" in said
        assert "old-prod" in said
        assert "older-prod" not in said
    assert "Next:" not in text
    assert "to `the files of prod`." in markdown


def test_an_up_that_would_be_stopped_ends_the_command(
    planned: tuple[FleetPreview, list[str]],
) -> None:
    found, _ = planned
    with pytest.raises(FleetError, match=r"1 stack could not be planned: .*not valid JSON"):
        _refuse(found)
    report = found.report
    sections = tuple(one for one in report.sections if one.review is not None)
    judged = report.model_copy(update={"sections": sections})
    with pytest.raises(FleetError, match="refused in 1 stack"):
        _refuse(found.model_copy(update={"report": judged}))
    fine = judged.model_copy(update={"policy": ()})
    _refuse(found.model_copy(update={"report": fine}))
