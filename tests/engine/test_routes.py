"""Routes and custom domains on the embedded engine, and what a script's upload carries besides."""

import json
from typing import Any

import pytest

from flowflare.errors import UpdateFailed
from tests.engine.fake_cloudflare import ACCOUNT, ZONE, FakeCloudflare, Request
from tests.engine.projects import Sample, changed


def program(*, pattern: str = "shop.example.com/*", host: str = "shop.example.com") -> str:
    return f"""
        from cloud import *
        Route("route", zoneId="{ZONE}", pattern="{pattern}", script="shop")
        Domain("domain", accountId="{ACCOUNT}", zoneId="{ZONE}", hostname="{host}", service="shop")
    """


def only(things: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (one,) = things.values()
    return one


def test_a_route_and_a_domain_are_made_changed_and_deleted(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.program(program()).up()
    route, domain = only(cloudflare.world.routes), only(cloudflare.world.domains)
    made = {f"{one.method} {one.path}": one.body for one in cloudflare.requests}
    assert made == {
        f"POST /zones/{ZONE}/workers/routes": {"pattern": "shop.example.com/*", "script": "shop"},
        f"PUT /accounts/{ACCOUNT}/workers/domains": {
            "hostname": "shop.example.com",
            "service": "shop",
            "zone_id": ZONE,
        },
    }
    assert cloud_sample.record("route")["id"] == route["id"]
    assert cloud_sample.record("domain")["outputs"]["zoneName"] == "example.com"
    assert cloud_sample.up().changed == 0

    cloudflare.requests.clear()
    cloud_sample.program(program(pattern="shop.example.com/a*", host="b.example.com"))
    assert changed(cloud_sample.preview()) == {"route": "update", "domain": "replace"}
    cloud_sample.up()
    assert sorted(cloudflare.writes()) == [
        f"DELETE /workers/domains/{domain['id']}",
        "PUT /workers/domains",
        f"PUT /workers/routes/{route['id']}",
    ]
    assert only(cloudflare.world.domains)["hostname"] == "b.example.com"
    cloud_sample.destroy()
    assert not cloudflare.world.routes
    assert not cloudflare.world.domains


def test_a_domain_that_moves_to_another_script_is_deleted_first(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.program(program()).up()
    cloudflare.requests.clear()
    cloud_sample.program(program().replace('service="shop"', 'service="market"')).up()
    assert [one.split()[0] for one in cloudflare.writes()] == ["DELETE", "PUT"]
    assert only(cloudflare.world.domains)["service"] == "market"


def test_what_is_already_gone_is_deleted_without_complaint(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.program(program()).up()
    cloudflare.world.__init__()  # type: ignore[misc]
    cloud_sample.destroy()
    assert "resources" not in cloud_sample.latest()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fault", ["cut", "502"])
def test_a_lost_answer_makes_one_route_and_one_domain(
    cloud_sample: Sample, cloudflare: FakeCloudflare, moment: str, fault: str
) -> None:
    faults = {"POST": fault, "PUT": fault}

    def lose(request: Request, when: str) -> str | None:
        return faults.pop(request.method, None) if when == moment else None

    cloudflare.hook = lose
    try:
        cloud_sample.program(program()).up()
    except UpdateFailed:
        # A PUT that is answered 502 is not repeated by this client; the next run finds it.
        cloud_sample.up()
    assert cloud_sample.record("route")["id"] == only(cloudflare.world.routes)["id"]
    assert cloud_sample.record("domain")["id"] == only(cloudflare.world.domains)["id"]


def test_a_route_of_somebody_else_is_refused(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    theirs = {"id": "x", "pattern": "shop.example.com/*", "script": "other"}
    cloudflare.world.routes["x"] = theirs
    with pytest.raises(UpdateFailed, match=r"'shop.example.com/\*' already exists"):
        cloud_sample.program(program()).up()
    assert cloudflare.world.routes == {"x": theirs}


def test_an_upload_carries_settings_and_bindings_as_cloudflare_spells_them(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.program(
        f"""
        from cloud import *
        WorkersScript("shop", accountId="{ACCOUNT}", scriptName="shop", mainModule="worker.js",
            content="export default {{}}", compatibilityDate="2026-11-01", logpush=True,
            limits={{"cpuMs": 50, "subrequests": 10}}, placement={{"mode": "smart"}},
            observability={{"enabled": True, "headSamplingRate": 0.5,
                "logs": {{"enabled": True, "invocationLogs": False}}}},
            tailConsumers=[{{"service": "watcher"}}],
            bindings=[
                {{"name": "A", "type": "ratelimit", "namespaceId": "1",
                  "simple": {{"limit": 10, "period": 60}}}},
                {{"name": "B", "type": "json", "json": '{{"fooBar": [1, 2.5]}}'}},
                {{"name": "C", "type": "json", "json": {{"fooBar": 1}}}},
                {{"name": "D", "type": "new_thing", "some_field": {{"other_field": 5}}}},
                {{"name": "E", "type": "service", "service": "shop2", "props": {{"fooBar": 1}}}},
            ])
        """
    )
    cloudflare.world.scripts["shop2"] = {"metadata": {"bindings": []}}
    cloud_sample.up()
    (sent,) = cloudflare.requests
    assert sent.parts is not None
    metadata = json.loads(sent.parts[1]["text"])
    assert metadata["logpush"] is True
    assert metadata["limits"] == {"cpu_ms": 50, "subrequests": 10}
    assert metadata["placement"] == {"mode": "smart"}
    assert metadata["observability"] == {
        "enabled": True,
        "head_sampling_rate": 0.5,
        "logs": {"enabled": True, "invocation_logs": False},
    }
    assert metadata["tail_consumers"] == [{"service": "watcher"}]
    assert metadata["bindings"] == [
        {
            "name": "A",
            "type": "ratelimit",
            "namespace_id": "1",
            "simple": {"limit": 10, "period": 60},
        },
        {"name": "B", "type": "json", "json": {"fooBar": [1, 2.5]}},
        {"name": "C", "type": "json", "json": {"fooBar": 1}},
        {"name": "D", "type": "new_thing", "some_field": {"other_field": 5}},
        {"name": "E", "type": "service", "service": "shop2", "props": {"fooBar": 1}},
    ]
    assert cloud_sample.up().changed == 0
