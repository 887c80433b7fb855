"""Previews of fleets with real workers: planned tenants, merged changes, and refusals."""

import os
from pathlib import Path

import pytest
import yaml

from flowflare.cli.fleet.preview import _markdown, _refuse, _show
from flowflare.config.files import read_project_file
from flowflare.errors import FleetError
from flowflare.fleet.pending import find_pending
from flowflare.fleet.preview.preview import FleetPreview, estimate_seconds, make_preview
from flowflare.fleet.records import TenantRecord
from flowflare.fleet.session import FleetSession, open_session
from flowflare.fleet.tenants.files import stack_files, write
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.selection import Selection
from flowflare.fleet.workers.pool import Pool, Task
from flowflare.state.passphrase import Passphrase, Vault
from tests.engine.fake_cloudflare import TOKEN, FakeCloudflare
from tests.engine.projects import CLOUD

# All tests run in one process, so that workers are started once.
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
    write_tenants(root, tenants)
    return root


def write_tenants(root: Path, tenants: dict) -> None:
    defaults = {
        "engine": "embedded",
        "accountId": ACCOUNT,
        "cloudflare:baseUrl": "http://127.0.0.1:9/client/v4",
        "cloudflare:apiToken": "t" * 40,
    }
    file = {"defaults": defaults, "environments": {"prod": {}}, "tenants": tenants}
    (root / "tenants.yaml").write_text(yaml.safe_dump(file))
    write(stack_files(read_fleet(read_project_file(root), {})), root)


def open_prod(root: Path, *tenants: str) -> FleetSession:
    return open_session(root, os.environ, "prod", Selection(tenants=tenants))


def record(session: FleetSession, stack: str, **fields) -> None:
    now = find_pending(session, [stack], {}, session.environ).fingerprints[stack]
    known = {"outcome": "applied", "fingerprint": now, "at": "2026-11-24T00:00:00Z", **fields}
    session.records.write(TenantRecord(stack=stack, **known))


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> tuple[FleetPreview, list[str]]:
    """Make one preview for many tests, because workers take a second to start."""
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
    session = open_prod(root)
    record(session, "done-prod")
    record(session, "beta-prod", outcome="failed", error="no")
    record(session, "old-prod")
    record(session, "older-prod", outcome="retired")
    state = root / ".flowflare/state/.pulumi/stacks/shop/broken-prod.json"
    state.parent.mkdir(parents=True)
    state.write_text("{")
    notes: list[str] = []
    progress: list[tuple[int, int]] = []
    found = make_preview(
        session,
        diff=True,
        workers=2,
        on_event=lambda event: notes.append(str(event.data.get("message"))),
        on_progress=lambda done, of: progress.append((done, of)),
    )
    assert progress[-1] == (6, 6)
    return found, notes


def test_equal_changes_are_reported_once_with_their_stacks(
    preview: tuple[FleetPreview, list[str]],
) -> None:
    found, notes = preview
    sections = {section.stacks: section for section in found.report.sections}
    # A stack's own name or its own allowed origin does not make its changes different.
    alike = sections["acme-prod", "beta-prod", "delta-prod", "gamma-prod", "paused-prod"]
    assert alike.review is not None
    [script] = [entry for entry in alike.review.entries if entry.kind == "WorkersScript"]
    new = {change.path: change.new for change in script.changes}
    assert new["scriptName"] == "<tenant>-<environment>-flowflare-shop"
    assert alike.api_calls == 2
    assert "hello" in notes


def test_unchanged_tenants_are_skipped_and_the_others_have_a_reason(
    preview: tuple[FleetPreview, list[str]],
) -> None:
    found, _ = preview
    assert found.same_inputs == ("done-prod",)
    assert found.retired == ("old-prod",)
    assert found.why["acme-prod"] == "never applied"
    assert found.why["beta-prod"] == "failed"
    assert (found.tenants, len(found.why)) == (9, 6)


def test_a_stack_that_cannot_be_planned_has_its_own_section(
    preview: tuple[FleetPreview, list[str]],
) -> None:
    found, _ = preview
    [broken] = [section for section in found.report.sections if section.review is None]
    assert broken.stacks == ("broken-prod",)
    assert "not valid JSON" in broken.error


def test_policies_are_checked(preview: tuple[FleetPreview, list[str]]) -> None:
    found, _ = preview
    assert {finding.rule for finding in found.report.policy} == {"name-pattern"}
    assert {finding.stacks for finding in found.report.policy} == {("delta-prod",)}
    assert found.refused_stacks == 1


def test_calls_and_time_are_forecast(preview: tuple[FleetPreview, list[str]]) -> None:
    found, _ = preview
    assert found.report.api_calls == 10  # two for each of the five that change
    assert found.seconds == estimate_seconds(10, 5, 2) == 5
    # 1,200 calls need no wait; every further 1,200 calls wait for 5 minutes.
    assert estimate_seconds(0, 0, 2) == 0
    assert estimate_seconds(1200, 1, 8) == 601
    assert estimate_seconds(15_000, 1000, 8) == 3600


def test_an_unchanged_tenant_is_planned_with_again(tmp_path: Path) -> None:
    root = make(tmp_path / "shop", {"acme": {}, "beta": {}})
    record(open_prod(root), "acme-prod")
    found = make_preview(open_prod(root, "acme"), again=True, workers=1)
    assert found.same_inputs == ()
    assert found.why == {"acme-prod": "requested with --again"}
    assert [section.stacks for section in found.report.sections] == [("acme-prod",)]


def test_no_worker_starts_if_all_tenants_are_unchanged(tmp_path: Path) -> None:
    root = make(tmp_path / "shop", {"acme": {}})
    record(open_prod(root), "acme-prod")
    found = make_preview(open_prod(root))
    assert (found.same_inputs, found.report.sections) == (("acme-prod",), ())
    assert (found.report.exit_code, found.seconds) == (0, 0)


@pytest.mark.long
def test_a_passphrase_is_read_only_if_a_secret_may_have_changed(tmp_path: Path) -> None:
    secrets = {"P_ACME": "acme's", "P_BETA": "beta's"}
    with FakeCloudflare() as cloudflare:
        root = make(tmp_path / "shop", {"acme": {}, "beta": {}})
        file = yaml.safe_load((root / "tenants.yaml").read_text())
        file["environments"]["prod"] = {"passphrase": {"env": "P_{TENANT}"}}
        file["defaults"]["cloudflare:baseUrl"] = cloudflare.base_url
        del file["defaults"]["cloudflare:apiToken"]  # each stack has its own encrypted token
        (root / "tenants.yaml").write_text(yaml.safe_dump(file))
        write(stack_files(read_fleet(read_project_file(root), {})), root)
        for tenant, text in (("acme", "acme's"), ("beta", "beta's")):
            set_secret(root / f"Pulumi.{tenant}-prod.yaml", text)
        session = open_session(root, os.environ | secrets, "prod", Selection())
        with Pool(session, session.environ_of, 2) as pool:
            results = pool.run(Task("up", stack) for stack in STACKS)
            assert [result.error for result in results] == ["", ""]
        for stack in STACKS:
            record(session, stack)
        file["defaults"]["debug"] = True
        (root / "tenants.yaml").write_text(yaml.safe_dump(file))
        write(stack_files(read_fleet(read_project_file(root), {})), root)
        set_secret(root / "Pulumi.beta-prod.yaml", "beta's")
        closed, opened = (
            make_preview(open_session(root, os.environ | known, "prod", Selection()), workers=1)
            for known in ({}, secrets)
        )
    # Only debug has changed for acme. For beta, its secret has changed, too.
    assert {section.stacks: bool(section.review) for section in closed.report.sections} == {
        ("acme-prod",): True,
        ("beta-prod",): False,
    }
    assert "variable P_BETA has no passphrase" in closed.report.sections[0].error
    assert [section.stacks for section in opened.report.sections] == [STACKS]
    assert opened.why["beta-prod"] == "changed: configuration, secrets"


STACKS = ("acme-prod", "beta-prod")


def set_secret(file: Path, passphrase: str) -> None:
    """Set the stack's secret again, as `pulumi config set --secret` does."""
    stack = yaml.safe_load(file.read_text())
    vault = Vault(Passphrase(passphrase, "a test"), stack.get("encryptionsalt", ""))
    stack["encryptionsalt"] = vault.salt
    stack["config"]["cloudflare:apiToken"] = {"secure": vault.seal_text(TOKEN)}
    first, _, _ = file.read_text().partition("\n")
    file.write_text(f"{first}\n{yaml.safe_dump(stack, sort_keys=False)}")


# The command's output -----------------------------------------------------------------------------


def test_a_preview_is_printed_as_text_or_as_markdown(
    preview: tuple[FleetPreview, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    _show(preview[0])
    text, markdown = capsys.readouterr().out, _markdown(preview[0], 60_000)
    assert "the stacks' state -> the files of prod" in text
    assert "5 stacks: acme-prod, beta-prod, delta-prod, gamma-prod, paused-prod" in text
    for output in (text, markdown):
        assert "1 stack has unchanged inputs: skipped, without an API call." in output
        assert "2 API calls for each tenant that changes" in output
        assert "old-prod" in output
        assert "older-prod" not in output
    assert "Next:" not in text
    assert "to `the files of prod`." in markdown


def test_a_preview_fails_if_up_would_be_refused(
    preview: tuple[FleetPreview, list[str]],
) -> None:
    found, _ = preview
    with pytest.raises(FleetError, match=r"1 stack could not be planned: .*not valid JSON"):
        _refuse(found)
    report = found.report
    sections = tuple(section for section in report.sections if section.review is not None)
    judged = report.model_copy(update={"sections": sections})
    with pytest.raises(FleetError, match="refused in 1 stack"):
        _refuse(found.model_copy(update={"report": judged}))
    fine = judged.model_copy(update={"policy": ()})
    _refuse(found.model_copy(update={"report": fine}))
