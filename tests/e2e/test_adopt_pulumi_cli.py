"""A stack of the real Pulumi CLI takes an install over; Cloudflare's plugin is stood in for."""

import json
from typing import Any

import pytest

from tests.e2e.by_hand import KEY, by_hand
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.test_adopt_original import SECRET, install
from tests.e2e.test_pulumi_cli import environ, pulumi

__all__ = ["environ"]
pytestmark = [pytest.mark.pulumi_cli, pytest.mark.long]


def run(project: Project, environ: dict[str, str], *words: str) -> Any:
    done = project.flowflare(*words, "--json", **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_pulumi_goes_on_with_what_was_taken_over(
    project: Project, cloudflare: Cloudflare, environ: dict[str, str]
) -> None:
    with by_hand(project, cloudflare) as hand:
        uuid = install(hand, key=SECRET)
        hand.sql(uuid, "INSERT INTO workflow (name) VALUES ('kept')")
        pulumi(project, environ, "stack", "init", "organization/flowflare/local")
        key = environ | {"FLOWFLARE_API_KEY": KEY}
        document = run(project, key, "adopt", "--names", "found")
        assert document["next_changes"] == 2
        exported = pulumi(project, environ, "stack", "export", "--stack", "local")
        assert KEY not in exported
        assert run(project, environ, "up")["changed"] == 2
        last = project.account.last_request()
        assert run(project, environ, "up")["changed"] == 0
        assert project.account.writes(last) == []
        pulumi(project, environ, "preview", "--expect-no-changes", "--stack", "local")
        assert hand.sql(uuid, "SELECT name FROM workflow") == [{"name": "kept"}]
        again = run(project, environ, "adopt")
        assert {one["status"] for one in again["entries"]} == {"managed"}
