"""A stack of the real Pulumi CLI adopts a manual installation, with a fake Cloudflare plugin."""

import json
from typing import Any

import pytest

from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.manual_account import KEY, open_manual_account
from tests.e2e.test_adopt_original import SECRET, install
from tests.e2e.test_pulumi_cli import environ, pulumi

__all__ = ["environ"]
pytestmark = [pytest.mark.pulumi_cli, pytest.mark.long]


def run(project: Project, environ: dict[str, str], *words: str) -> Any:
    result = project.flowflare(*words, "--json", **environ)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def test_pulumi_continues_with_what_was_adopted(
    project: Project, cloudflare: Cloudflare, environ: dict[str, str]
) -> None:
    with open_manual_account(project, cloudflare) as manual:
        uuid = install(manual, key=SECRET)
        manual.run_sql(uuid, "INSERT INTO workflow (name) VALUES ('kept')")
        pulumi(project, environ, "stack", "init", "organization/flowflare/local")
        key = environ | {"FLOWFLARE_API_KEY": KEY}
        document = run(project, key, "adopt", "--names", "found")
        assert document["next_changes"] == 2
        exported = pulumi(project, environ, "stack", "export", "--stack", "local")
        assert KEY not in exported
        assert run(project, environ, "up", "--yes")["changed"] == 2
        last = project.account.find_last_request()
        assert run(project, environ, "up", "--yes")["changed"] == 0
        assert project.account.list_writes(last) == []
        pulumi(project, environ, "preview", "--expect-no-changes", "--stack", "local")
        assert manual.run_sql(uuid, "SELECT name FROM workflow") == [{"name": "kept"}]
        again = run(project, environ, "adopt")
        assert {entry["status"] for entry in again["entries"]} == {"managed"}
