"""What Flowflare writes for Cloudflare's plugin has the keys that the plugin wrote itself."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowflare.config.files import read_project
from flowflare.engine.pulumi_cli.adopt import Found, add_resource
from flowflare.engine.pulumi_cli.lost_answers import Account
from flowflare.engine.pulumi_cli.stack import CliStack
from flowflare.review.changes import review
from flowflare.state.cron_cleanups import CRON_CLEANUP
from tests.e2e.by_hand import by_hand
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.engine.plugin_rules import DELTA, META, keys_by_name, read_state
from tests.support.pulumi_cli import cli_environ

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
Records = Mapping[str, Mapping[str, Any]]


def records_of(project: Project) -> Records:
    """The records of Cloudflare's resources by name."""
    state = project.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    latest = json.loads(state.read_text())["checkpoint"]["latest"]
    named = {one["urn"].rpartition("::")[2]: one for one in latest["resources"]}
    return {name: one for name, one in named.items() if one["type"].startswith("cloudflare:")}


def assert_as_recorded(records: Records) -> None:
    recorded = keys_by_name()
    assert records.keys() == recorded.keys()
    for name, record in records.items():
        keys = record["outputs"].keys()
        assert any(keys == known for known in recorded[name]), (name, sorted(keys))
        assert json.loads(record["outputs"][META]) == {"schema_version": "500"}
        assert read_state(record["type"], masked(record["outputs"])) == terraform_id(record)
    subdomain = records["flowflare-service-subdomain"]
    assert subdomain["id"] == subdomain["inputs"]["accountId"]


def terraform_id(record: Mapping[str, Any]) -> str:
    inputs = record["inputs"]
    return str(inputs.get("workflowName") or inputs.get("scriptName") or record["id"])


@pytest.fixture
def running(project: Project) -> Project:
    """The example as it was recorded: with a retention, so with a cron trigger."""
    project.configure("flowflare:retentionDays: 30")
    project.stack().up()
    return project


def test_the_embedded_engine_writes_the_recorded_keys(running: Project) -> None:
    assert_as_recorded(records_of(running))


def test_an_adoption_writes_the_recorded_keys(
    running: Project, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWFLARE_API_KEY", running.stack().outputs(show_secrets=True)["api_key"])
    shutil.rmtree(running.root / ".flowflare/state")
    with by_hand(running, cloudflare) as hand:
        hand.run("adopt", "--json")
    assert_as_recorded(records_of(running))


def test_a_lost_answer_that_is_taken_over_has_the_recorded_keys(
    running: Project, cloudflare: Cloudflare
) -> None:
    account = Account(cloudflare.base_url, cloudflare.token)
    taken = {}
    for record in running.stack().read().resources:
        if record.name not in (found := records_of(running)):
            continue
        pending = {key: value for key, value in found[record.name].items() if key != "outputs"}
        thing = account.made_by(pending)
        if record.type.endswith(":D1Database"):
            # It has tables by now, so only its name proves nothing.
            assert thing is None
            continue
        assert thing is not None
        taken[record.name] = add_resource({}, pending, thing)["resources"][0]
    database = records_of(running)["flowflare-service-database"]
    taken["flowflare-service-database"] = database
    assert_as_recorded(taken)


def test_a_database_whose_answer_was_lost_has_the_recorded_keys(
    project: Project, cloudflare: Cloudflare
) -> None:
    inputs = {"accountId": project.account.identity, "name": "lost"}
    project.account.post("/d1/database", {"name": "lost"})
    pending = {
        "urn": "urn:pulumi:local::flowflare::cloudflare:index/d1Database:D1Database::lost",
        "type": "cloudflare:index/d1Database:D1Database",
        "custom": True,
        "inputs": inputs,
    }
    thing = Account(cloudflare.base_url, cloudflare.token).made_by(pending)
    assert isinstance(thing, Found)
    [record] = add_resource({}, pending, thing)["resources"]
    assert record["outputs"].keys() in keys_by_name()["flowflare-service-database"]
    assert read_state(record["type"], record["outputs"]) == record["id"]


def test_what_an_earlier_version_left_out_is_added_by_a_run_that_changes_nothing(
    running: Project,
) -> None:
    state = running.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    stored = json.loads(state.read_text())
    for record in stored["checkpoint"]["latest"]["resources"]:
        if record["type"].startswith("cloudflare:"):
            for key in ("id", META, DELTA):
                record["outputs"].pop(key)
    state.write_text(json.dumps(stored))
    after = running.account.last_request()
    assert running.stack().up().changed == 0
    assert running.account.writes(after) == []
    assert_as_recorded(records_of(running))


def masked(value: Any) -> Any:
    """A value with a text for each of its secrets, all of which are texts."""
    if isinstance(value, dict):
        sealed = "ciphertext" in value
        return "[secret]" if sealed else {key: masked(item) for key, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


def as_before(latest: Mapping[str, Any]) -> Mapping[str, Any]:
    """A state as versions before this one wrote it, without what the plugin keeps."""
    added = ("id", META, DELTA)
    resources = [
        {**one, "outputs": {key: one["outputs"][key] for key in one["outputs"].keys() - {*added}}}
        if one["type"].startswith("cloudflare:")
        else one
        for one in latest["resources"]
    ]
    return {**latest, "resources": resources}


def without_cleanups(latest: Mapping[str, Any]) -> Mapping[str, Any]:
    """A state as versions before this one wrote it, without what clears cron triggers."""
    kept = [one for one in latest["resources"] if one["type"] != CRON_CLEANUP]
    urns = {one["urn"] for one in kept}
    resources = [
        {**one, "dependencies": [urn for urn in one.get("dependencies", []) if urn in urns]}
        for one in kept
    ]
    return {**latest, "resources": resources}


@pytest.fixture
def handed_over(running: Project, cloudflare: Cloudflare, tmp_path: Path) -> "Handed":
    """The embedded engine's state, for the CLI to import."""
    state = running.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    latest = json.loads(state.read_text())["checkpoint"]["latest"]
    running.edit("Pulumi.local.yaml", "flowflare:engine: embedded", "flowflare:engine: pulumi")
    phrase = (running.root / ".flowflare/passphrase").read_text().strip()
    environ = {
        **cli_environ(tmp_path),
        "CLOUDFLARE_API_TOKEN": cloudflare.token,
        "PULUMI_CONFIG_PASSPHRASE": phrase,
    }
    handed = Handed(running, environ, latest)
    handed.pulumi("stack", "init", "organization/flowflare/local")
    return handed


@dataclass(frozen=True)
class Handed:
    """A stack of the CLI and the state that it is to import."""

    project: Project
    environ: dict[str, str]
    latest: Mapping[str, Any]

    def pulumi(self, *words: str, fails: bool = False) -> str:
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive"],
            cwd=self.project.root,
            env=os.environ | self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def take(self, latest: Mapping[str, Any]) -> None:
        file = self.project.root / "handed.json"
        file.write_text(json.dumps({"version": 3, "deployment": latest}))
        self.pulumi("stack", "import", "--file", str(file), "--stack", "local")

    def stack(self) -> CliStack:
        environ = os.environ | self.environ
        return CliStack(read_project(self.project.root, "local"), environ=environ)

    def refresh(self, *, fails: bool = False) -> str:
        words = ["refresh", "--yes", "--skip-preview", "--stack", "local"]
        return self.pulumi(*words, fails=fails)

    def refresh_and_send_nothing(self) -> None:
        self.refresh()
        after = self.project.account.last_request()
        words = ["--yes", "--skip-preview", "--expect-no-changes", "--stack", "local"]
        self.pulumi("up", *words)
        assert self.project.account.writes(after) == []


@pytest.mark.long
@pytest.mark.pulumi_cli
def test_the_cli_refreshes_what_the_embedded_engine_wrote(handed_over: Handed) -> None:
    handed_over.take(handed_over.latest)
    handed_over.refresh_and_send_nothing()


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_up_mends_a_state_that_the_plugin_cannot_read(handed_over: Handed) -> None:
    handed_over.take(as_before(handed_over.latest))
    assert "missing required database_id" in handed_over.refresh(fails=True)
    assert handed_over.stack().up().changed == 0
    handed_over.refresh_and_send_nothing()


CLEANUP, CRONS = "flowflare-service-cron-cleanup", "flowflare-service-crons"
SCHEDULES = "/workers/scripts/local-flowflare-service/schedules"


def drop_crons(handed: Handed) -> tuple[dict[str, str], int, int]:
    """Takes the retention out of the program.

    Returns:
        What the preview said of the triggers, the calls that it foresaw, and those that were made.
    """
    project = handed.project
    assert [one["cron"] for one in project.account.get(SCHEDULES)["schedules"]] == ["*/10 * * * *"]
    # As the CLI writes it.
    project.edit("Pulumi.local.yaml", '\n  flowflare:retentionDays: "30"', "")
    plan = handed.stack().preview()
    after = project.account.last_request()
    handed.stack().up()
    made = len(project.account.requests(after))
    ops = {one.name: one.op for one in plan.steps if one.name in (CLEANUP, CRONS)}
    return ops, review(plan).api_calls, made


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_the_account_loses_the_crons_that_a_cli_stack_drops(handed_over: Handed) -> None:
    handed_over.take(handed_over.latest)
    ops, foreseen, made = drop_crons(handed_over)
    assert ops == {CLEANUP: "delete", CRONS: "delete"}
    assert foreseen == made
    assert handed_over.project.account.get(SCHEDULES)["schedules"] == []
    handed_over.refresh_and_send_nothing()
    handed_over.stack().destroy()
    assert handed_over.project.account.holds_nothing()


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_it_loses_those_that_an_earlier_version_deployed(handed_over: Handed) -> None:
    handed_over.take(without_cleanups(handed_over.latest))
    assert handed_over.stack().preview().changed == 0
    ops, foreseen, made = drop_crons(handed_over)
    assert ops == {CLEANUP: "delete", CRONS: "delete"}
    assert foreseen == made
    assert handed_over.project.account.get(SCHEDULES)["schedules"] == []
