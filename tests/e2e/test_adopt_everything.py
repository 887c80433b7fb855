"""A stack with everything that clients have, whose state is lost, is taken over as it is."""

import json
import shutil
from collections import Counter

import pytest

from tests.e2e.by_hand import by_hand
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.test_clients import configure, prepare

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def test_every_kind_of_thing_is_found(
    project: Project, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_MAIL_TOKEN", "a-token")
    project.edit("Pulumi.local.yaml", "protect: false", "protect: true")
    project.configure("flowflare:retentionDays: 30")
    shop = prepare(project)
    configure(project, {"shop": shop}, "")
    project.stack().up()
    monkeypatch.setenv("FLOWFLARE_API_KEY", project.stack().outputs(show_secrets=True)["api_key"])
    shutil.rmtree(project.root / ".flowflare/state")

    with by_hand(project, cloudflare) as hand:
        host, zone = shop["domains"][0]["hostname"], shop["domains"][0]["zoneId"]
        route = {"pattern": f"{host}/by-hand/*", "script": "local-flowflare-shop"}
        path = f"{cloudflare.base_url}/zones/{zone}/workers/routes"
        hand.http.post(path, json=route).raise_for_status()
        document = json.loads(hand.run("adopt", "--json").out)
        entries = document["entries"]
        kinds = Counter(one["type"] for one in entries if one["status"] == "found")
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
        (foreign,) = (one for one in entries if one["status"] == "foreign")
        assert f"route {host}/by-hand/* leads to it" in foreign["message"]
        assert {one["resource"] for one in entries if one["status"] == "missing"} == {
            "flowflare-shop-secret-session-key"
        }
        different = [one for one in entries if one["status"] == "different"]
        assert [one["resource"] for one in different] == ["flowflare-shop-script"]
        assert [one["path"] for one in different[0]["differences"]] == ['bindings["SESSION_KEY"]']
        assert "SESSION_KEY is generated" in "".join(document["notes"])
        assert hand.changes() == {
            "flowflare-shop-script": ['bindings["SESSION_KEY"].text'],
            "flowflare-shop-secret-session-key": ["secret_name", "source"],
        }
        hand.run("up")
        assert hand.changes() == {}

        # What somebody changes by hand comes in as it is, and the next up puts it right.
        shutil.rmtree(project.root / ".flowflare/state")
        script = "/workers/scripts/local-flowflare-shop"
        hand.call("PUT", f"{script}/schedules", json=[{"cron": "5 4 * * *"}])
        hand.call("POST", f"{script}/subdomain", json={"enabled": False})
        live = hand.call("GET", f"{script}/settings")["bindings"]
        kept = [{"type": "inherit", "name": one["name"]} for one in live if one["name"] != "PRICES"]
        settings = {
            "bindings": [*kept, {"type": "json", "name": "PRICES", "json": {"small": 2}}],
            "logpush": True,
            "observability": {"enabled": False},
            "compatibility_flags": [],
            "limits": {"cpu_ms": 70},
        }
        part = {"settings": (None, json.dumps(settings), "application/json")}
        hand.call("PATCH", f"{script}/settings", files=part)
        hand.run("adopt")
        assert hand.changes() == {
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
        hand.run("up")
        assert hand.changes() == {}
