"""Replays of the unmodified Pulumi provider: the same requests, sent to a new account.

The requests were recorded from pulumi-cloudflare 6.17; the recorder's answers were its own, so only
the requests are kept. Ids that a recorded answer made are replaced by those this emulator makes.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.emulated import Account

pytestmark = pytest.mark.workerd

RECORDED = Path(__file__).parent / "recordings"
ACCOUNT = "0123456789abcdef0123456789abcdef"


@dataclass
class Replay:
    """Send recorded requests to an account."""

    account: Account
    ids: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)

    def run(self, name: str) -> list[Any]:
        lines = (RECORDED / f"{name}.jsonl").read_text().splitlines()
        return [self.send(json.loads(line)) for line in lines]

    def send(self, recorded: dict[str, Any]) -> Any:
        path = self.rename(recorded["path"]).removeprefix(f"/client/v4/accounts/{ACCOUNT}")
        arguments: dict[str, Any] = {}
        if recorded["json"] is not None:
            arguments["json"] = recorded["json"]
        if recorded["parts"] is not None:
            arguments["files"] = [
                (
                    part["name"],
                    (part["filename"], self.rename(part["text"]), part["content_type"]),
                )
                for part in recorded["parts"]
            ]
        response = self.account.http.request(recorded["method"], path, **arguments)
        self.statuses.append(response.status_code)
        if not response.headers["content-type"].startswith("application/json"):
            return response.text
        answer = response.json()
        made = recorded.get("made")
        if made and answer["result"]:
            self.ids[made] = answer["result"]["uuid"]
        return answer

    def rename(self, text: str) -> str:
        return re.sub("|".join(self.ids) or "$.", lambda found: self.ids[found.group()], text)


def test_the_providers_first_up_refresh_change_and_destroy_are_answered(account: Account) -> None:
    replay = Replay(account)
    with_migration(account)
    replay.run("first-up")
    assert replay.statuses == [200] * 6
    refreshed = replay.run("refresh")
    assert replay.statuses == [200] * 16
    settings = [each["result"] for each in refreshed if "bindings" in str(each)]
    secret = [each for each in settings[0]["bindings"] if each["type"] == "secret_text"]
    assert secret == [{"name": "SERVICE_API_KEY", "type": "secret_text"}]
    changed = replay.run("code-change")
    assert changed[0]["result"]["id"] == "flowflare-service"
    assert replay.run("destroy")[-1]["success"] is True
    assert replay.statuses == [200] * 22
    assert account.call("GET", "/workers/scripts") == []
    assert account.call("GET", "/d1/database") == []


def with_migration(account: Account) -> None:
    """Migrate the class first, which the recorder did not require."""
    source = "export class WorkflowTracker{}; export default {fetch(){}}"
    migrations = {"new_tag": "v1", "new_sqlite_classes": ["WorkflowTracker"]}
    account.put("flowflare-service", source, migrations=migrations)


def test_the_providers_repeated_class_migration_is_refused(account: Account) -> None:
    replay = Replay(account)
    answers = replay.run("class-migrations-resent")
    assert replay.statuses == [200, 200, 200, 200, 200, 200, 412]
    assert [each["code"] for each in answers[-1]["errors"]] == [10079]
