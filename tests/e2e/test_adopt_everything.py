"""A stack of every resource type whose state is lost is adopted without changes."""

import json
import shutil
from collections import Counter

import pytest

from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.manual_account import open_manual_account
from tests.e2e.test_clients import configure, prepare

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


@pytest.mark.long
def test_every_resource_type_is_found(
    project: Project, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_MAIL_TOKEN", "a-token")
    project.edit("Pulumi.local.yaml", "protect: false", "protect: true")
    project.configure("flowflare:retentionDays: 30")
    shop = prepare(project)
    configure(project, {"shop": shop}, "")
    project.open_stack().up()
    monkeypatch.setenv(
        "FLOWFLARE_API_KEY", project.open_stack().outputs(show_secrets=True)["api_key"]
    )
    shutil.rmtree(project.root / ".flowflare/state")

    with open_manual_account(project, cloudflare) as manual:
        host, zone = shop["domains"][0]["hostname"], shop["domains"][0]["zoneId"]
        route = {"pattern": f"{host}/by-hand/*", "script": "local-flowflare-shop"}
        path = f"{cloudflare.base_url}/zones/{zone}/workers/routes"
        manual.http.post(path, json=route).raise_for_status()
        document = json.loads(manual.run("adopt", "--json").out)
        entries = document["entries"]
        kinds = Counter(entry["type"] for entry in entries if entry["status"] == "found")
        assert kinds == {
            "D1Database": 2,
            "D1Migrations": 2,
            "DurableObjectMigrations": 2,
            "ScriptBindings": 1,
            "WorkersCronTrigger": 2,
            "WorkersCustomDomain": 1,
            "WorkersDevUrl": 2,
            "WorkersRoute": 1,
            "WorkersScript": 1,
            "WorkersScriptSubdomain": 2,
        }
        (foreign,) = (entry for entry in entries if entry["status"] == "foreign")
        assert f"route {host}/by-hand/* leads to it" in foreign["message"]
        assert {entry["resource"] for entry in entries if entry["status"] == "missing"} == {
            "flowflare-shop-secret-session-key"
        }
        different = [entry for entry in entries if entry["status"] == "different"]
        assert [entry["resource"] for entry in different] == ["flowflare-shop-script"]
        assert [each["path"] for each in different[0]["differences"]] == ['bindings["SESSION_KEY"]']
        assert "SESSION_KEY is generated" in "".join(document["notes"])
        assert manual.plan_changes() == {
            "flowflare-shop-script": ['bindings["SESSION_KEY"].text'],
            "flowflare-shop-secret-session-key": ["secret_name", "source"],
        }
        manual.run("up", "--yes")
        assert manual.plan_changes() == {}

        # Manual changes are adopted as they are, and the next up reverts them.
        shutil.rmtree(project.root / ".flowflare/state")
        script = "/workers/scripts/local-flowflare-shop"
        manual.call("PUT", f"{script}/schedules", json=[{"cron": "5 4 * * *"}])
        manual.call("POST", f"{script}/subdomain", json={"enabled": False})
        live = manual.call("GET", f"{script}/settings")["bindings"]
        kept = [
            {"type": "inherit", "name": binding["name"]}
            for binding in live
            if binding["name"] != "PRICES"
        ]
        settings = {
            "bindings": [*kept, {"type": "json", "name": "PRICES", "json": {"small": 2}}],
            "logpush": True,
            "observability": {"enabled": False},
            "compatibility_flags": [],
            "limits": {"cpu_ms": 70},
        }
        part = {"settings": (None, json.dumps(settings), "application/json")}
        manual.call("PATCH", f"{script}/settings", files=part)
        manual.run("adopt")
        assert manual.plan_changes() == {
            "flowflare-shop-crons": ["schedules[0].cron"],
            "flowflare-shop-secret-session-key": ["secret_name", "source"],
            "flowflare-shop-subdomain": ["enabled"],
            "flowflare-shop-url": ["account_id", "script_name"],
            "flowflare-shop-script": [
                'bindings["PRICES"].json',
                'bindings["SESSION_KEY"].text',
                "compatibilityFlags[0]",
                "limits.cpuMs",
                "logpush",
                "observability.enabled",
                "observability.headSamplingRate",
                "observability.logs",
            ],
        }
        manual.run("up", "--yes")
        assert manual.plan_changes() == {}
