"""States that Flowflare writes have the keys that Cloudflare's plugin stores."""

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
from flowflare.engine.pulumi_cli.lost_answers import AccountSearch
from flowflare.engine.pulumi_cli.stack import CliStack
from flowflare.kinds import cron_cleanup
from flowflare.review.changes import review
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.manual_account import open_manual_account
from tests.engine.plugin_rules import DELTA, META, list_keys_by_name, read_state
from tests.support.pulumi_cli import cli_environ

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
Records = Mapping[str, Mapping[str, Any]]


def read_records(project: Project) -> Records:
    """Return the records of Cloudflare's resources by name."""
    state = project.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    latest = json.loads(state.read_text())["checkpoint"]["latest"]
    named = {record["urn"].rpartition("::")[2]: record for record in latest["resources"]}
    return {
        name: record for name, record in named.items() if record["type"].startswith("cloudflare:")
    }


#: The Workflow, and what only the answer to its `PUT` has: a state that was read lacks that.
WORKFLOW = "flowflare-orders-order-processing"
ONLY_WRITTEN = {"isDeleted", "terminatorRunning", "versionId"}


def assert_as_recorded(records: Records, *, read: str = "") -> None:
    """Assert that records have the recorded keys.

    Args:
        read: the name of a Workflow that was found in the account, not created.
    """
    recorded = list_keys_by_name()
    assert records.keys() == recorded.keys()
    for name, record in records.items():
        keys = record["outputs"].keys()
        absent = ONLY_WRITTEN if name == read else set()
        assert any(keys == set(known) - absent for known in recorded[name]), (name, sorted(keys))
        assert json.loads(record["outputs"][META]) == {"schema_version": "500"}
        assert read_state(record["type"], mask_secrets(record["outputs"])) == find_terraform_id(
            record
        )
    subdomain = records["flowflare-service-subdomain"]
    assert subdomain["id"] == subdomain["inputs"]["accountId"]


def find_terraform_id(record: Mapping[str, Any]) -> str:
    inputs = record["inputs"]
    return str(inputs.get("workflowName") or inputs.get("scriptName") or record["id"])


@pytest.fixture
def running(project: Project) -> Project:
    """Deploy the example as it was recorded: with a retention, hence with a cron trigger."""
    project.configure("flowflare:retentionDays: 30")
    project.open_stack().up()
    return project


def test_the_embedded_engine_writes_the_recorded_keys(running: Project) -> None:
    assert_as_recorded(read_records(running))


def test_an_adoption_writes_the_recorded_keys(
    running: Project, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "FLOWFLARE_API_KEY", running.open_stack().outputs(show_secrets=True)["api_key"]
    )
    shutil.rmtree(running.root / ".flowflare/state")
    with open_manual_account(running, cloudflare) as manual:
        manual.run("adopt", "--json")
    assert_as_recorded(read_records(running), read=WORKFLOW)


def test_a_resource_that_is_adopted_after_a_lost_answer_has_the_recorded_keys(
    running: Project, cloudflare: Cloudflare
) -> None:
    account = AccountSearch(cloudflare.base_url, cloudflare.token)
    adopted = {}
    for record in running.open_stack().read().resources:
        if record.name not in (records := read_records(running)):
            continue
        pending = {key: value for key, value in records[record.name].items() if key != "outputs"}
        found = account.made_by(pending)
        if record.type.endswith(":D1Database"):
            # It has tables by now, so its name is not enough evidence.
            assert found is None
            continue
        assert found is not None
        adopted[record.name] = add_resource({}, pending, found)["resources"][0]
    database = read_records(running)["flowflare-service-database"]
    adopted["flowflare-service-database"] = database
    assert_as_recorded(adopted, read=WORKFLOW)


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
    found = AccountSearch(cloudflare.base_url, cloudflare.token).made_by(pending)
    assert isinstance(found, Found)
    [record] = add_resource({}, pending, found)["resources"]
    assert record["outputs"].keys() in list_keys_by_name()["flowflare-service-database"]
    assert read_state(record["type"], record["outputs"]) == record["id"]


def test_keys_that_an_earlier_version_did_not_store_are_added_by_an_up_without_changes(
    running: Project,
) -> None:
    state = running.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    stored = json.loads(state.read_text())
    for record in stored["checkpoint"]["latest"]["resources"]:
        if record["type"].startswith("cloudflare:"):
            for key in ("id", META, DELTA):
                record["outputs"].pop(key)
    state.write_text(json.dumps(stored))
    last = running.account.find_last_request()
    assert running.open_stack().up().changed == 0
    assert running.account.list_writes(last) == []
    assert_as_recorded(read_records(running))


def mask_secrets(value: Any) -> Any:
    """Replace every secret in a value with a text; all secrets are texts."""
    if isinstance(value, dict):
        is_encrypted = "ciphertext" in value
        return (
            "[secret]" if is_encrypted else {key: mask_secrets(item) for key, item in value.items()}
        )
    return [mask_secrets(item) for item in value] if isinstance(value, list) else value


def remove_plugin_keys(latest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a state as earlier versions wrote it, without the keys of the plugin."""
    added = {"id", META, DELTA}

    def remove(record: Mapping[str, Any]) -> Mapping[str, Any]:
        if not record["type"].startswith("cloudflare:"):
            return record
        outputs = {key: value for key, value in record["outputs"].items() if key not in added}
        return {**record, "outputs": outputs}

    return {**latest, "resources": [remove(record) for record in latest["resources"]]}


def remove_cleanups(latest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a state as earlier versions wrote it, without the cleanups of cron triggers."""
    kept = [record for record in latest["resources"] if record["type"] != cron_cleanup.KIND.type]
    urns = {record["urn"] for record in kept}
    resources = [
        {**record, "dependencies": [urn for urn in record.get("dependencies", []) if urn in urns]}
        for record in kept
    ]
    return {**latest, "resources": resources}


@pytest.fixture
def cli_stack(running: Project, cloudflare: Cloudflare, tmp_path: Path) -> "ImportingStack":
    """Create a stack of the CLI that can import the embedded engine's state."""
    state = running.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    latest = json.loads(state.read_text())["checkpoint"]["latest"]
    running.edit("Pulumi.local.yaml", "flowflare:engine: embedded", "flowflare:engine: pulumi")
    phrase = (running.root / ".flowflare/passphrase").read_text().strip()
    environ = {
        **cli_environ(tmp_path),
        "CLOUDFLARE_API_TOKEN": cloudflare.token,
        "PULUMI_CONFIG_PASSPHRASE": phrase,
    }
    stack = ImportingStack(running, environ, latest)
    stack.pulumi("stack", "init", "organization/flowflare/local")
    return stack


@dataclass(frozen=True)
class ImportingStack:
    """A stack of the CLI, and a state for it to import."""

    project: Project
    environ: dict[str, str]
    latest: Mapping[str, Any]

    def pulumi(self, *words: str, fails: bool = False) -> str:
        result = subprocess.run(
            ["pulumi", *words, "--non-interactive"],
            cwd=self.project.root,
            env=os.environ | self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (result.returncode != 0) == fails, result.stdout + result.stderr
        return result.stdout + result.stderr

    def import_state(self, latest: Mapping[str, Any]) -> None:
        file = self.project.root / "imported.json"
        file.write_text(json.dumps({"version": 3, "deployment": latest}))
        self.pulumi("stack", "import", "--file", str(file), "--stack", "local")

    def open_stack(self) -> CliStack:
        environ = os.environ | self.environ
        return CliStack(read_project(self.project.root, "local"), environ=environ)

    def refresh(self, *, fails: bool = False) -> str:
        words = ["refresh", "--yes", "--skip-preview", "--stack", "local"]
        return self.pulumi(*words, fails=fails)

    def assert_refreshed_stack_is_unchanged(self) -> None:
        self.refresh()
        last = self.project.account.find_last_request()
        words = ["--yes", "--skip-preview", "--expect-no-changes", "--stack", "local"]
        self.pulumi("up", *words)
        assert self.project.account.list_writes(last) == []


@pytest.mark.long
@pytest.mark.pulumi_cli
def test_the_cli_refreshes_a_state_of_the_embedded_engine(cli_stack: ImportingStack) -> None:
    cli_stack.import_state(cli_stack.latest)
    cli_stack.assert_refreshed_stack_is_unchanged()


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_up_repairs_a_state_that_the_plugin_cannot_read(cli_stack: ImportingStack) -> None:
    cli_stack.import_state(remove_plugin_keys(cli_stack.latest))
    assert "missing required database_id" in cli_stack.refresh(fails=True)
    assert cli_stack.open_stack().up().changed == 0
    cli_stack.assert_refreshed_stack_is_unchanged()


CLEANUP, CRONS = "flowflare-service-cron-cleanup", "flowflare-service-crons"
SCHEDULES = "/workers/scripts/local-flowflare-service/schedules"


def drop_crons(stack: ImportingStack) -> tuple[dict[str, str], int, int]:
    """Remove the retention from the program.

    Returns:
        The preview's operations on the cron triggers, its forecast of calls, and the calls made.
    """
    project = stack.project
    schedules = project.account.get(SCHEDULES)["schedules"]
    assert [schedule["cron"] for schedule in schedules] == ["*/10 * * * *"]
    # The CLI wrote the number as a text.
    project.edit("Pulumi.local.yaml", '\n  flowflare:retentionDays: "30"', "")
    plan = stack.open_stack().preview()
    last = project.account.find_last_request()
    stack.open_stack().up()
    made = len(project.account.list_requests(last))
    ops = {step.name: step.op for step in plan.steps if step.name in (CLEANUP, CRONS)}
    return ops, review(plan).api_calls, made


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_crons_that_a_cli_stack_drops_are_deleted(cli_stack: ImportingStack) -> None:
    cli_stack.import_state(cli_stack.latest)
    ops, forecast, made = drop_crons(cli_stack)
    assert ops == {CLEANUP: "delete", CRONS: "delete"}
    assert forecast == made
    assert cli_stack.project.account.get(SCHEDULES)["schedules"] == []
    cli_stack.assert_refreshed_stack_is_unchanged()
    cli_stack.open_stack().destroy()
    assert cli_stack.project.account.is_empty()


@pytest.mark.pulumi_cli
@pytest.mark.long
def test_crons_that_an_earlier_version_deployed_are_deleted_too(cli_stack: ImportingStack) -> None:
    cli_stack.import_state(remove_cleanups(cli_stack.latest))
    assert cli_stack.open_stack().preview().changed == 0
    ops, forecast, made = drop_crons(cli_stack)
    assert ops == {CLEANUP: "delete", CRONS: "delete"}
    assert forecast == made
    assert cli_stack.project.account.get(SCHEDULES)["schedules"] == []
