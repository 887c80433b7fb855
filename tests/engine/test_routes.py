"""Routes, custom domains and every setting of a script are deployed by the embedded engine."""

import json
from typing import Any

import pytest

from flowflare.errors import UpdateFailed
from tests.engine.fake_cloudflare import ACCOUNT, ZONE, FakeCloudflare, Request
from tests.engine.projects import Sample, list_changes


def make_program(*, pattern: str = "shop.example.com/*", host: str = "shop.example.com") -> str:
    return f"""
        from cloud import *
        Route("route", zoneId="{ZONE}", pattern="{pattern}", script="shop")
        Domain("domain", accountId="{ACCOUNT}", zoneId="{ZONE}", hostname="{host}", service="shop")
    """


def get_only(things: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (thing,) = things.values()
    return thing


def test_a_route_and_a_domain_are_created_changed_and_deleted(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_program()).up()
    route, domain = get_only(cloudflare.world.routes), get_only(cloudflare.world.domains)
    bodies = {f"{request.method} {request.path}": request.body for request in cloudflare.requests}
    assert bodies == {
        f"POST /zones/{ZONE}/workers/routes": {"pattern": "shop.example.com/*", "script": "shop"},
        f"PUT /accounts/{ACCOUNT}/workers/domains": {
            "hostname": "shop.example.com",
            "service": "shop",
            "zone_id": ZONE,
        },
    }
    assert cloud_sample.find_record("route")["id"] == route["id"]
    assert cloud_sample.find_record("domain")["outputs"]["zoneName"] == "example.com"
    assert cloud_sample.up().changed == 0

    cloudflare.requests.clear()
    cloud_sample.write_program(make_program(pattern="shop.example.com/a*", host="b.example.com"))
    assert list_changes(cloud_sample.preview()) == {"route": "update", "domain": "replace"}
    cloud_sample.up()
    assert sorted(cloudflare.list_writes()) == [
        f"DELETE /workers/domains/{domain['id']}",
        "PUT /workers/domains",
        f"PUT /workers/routes/{route['id']}",
    ]
    assert get_only(cloudflare.world.domains)["hostname"] == "b.example.com"
    cloud_sample.destroy()
    assert not cloudflare.world.routes
    assert not cloudflare.world.domains


def test_a_domain_that_moves_to_another_script_is_deleted_first(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_program()).up()
    cloudflare.requests.clear()
    cloud_sample.write_program(make_program().replace('service="shop"', 'service="market"')).up()
    assert [write.split()[0] for write in cloudflare.list_writes()] == ["DELETE", "PUT"]
    assert get_only(cloudflare.world.domains)["service"] == "market"


def test_deleting_a_route_and_a_domain_that_are_already_gone_succeeds(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(make_program()).up()
    cloudflare.world.__init__()  # type: ignore[misc]
    cloud_sample.destroy()
    assert "resources" not in cloud_sample.read_latest()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fault", ["cut", "502"])
def test_a_lost_answer_never_creates_a_second_route_or_domain(
    cloud_sample: Sample, cloudflare: FakeCloudflare, moment: str, fault: str
) -> None:
    faults = {"POST": fault, "PUT": fault}

    def lose(request: Request, when: str) -> str | None:
        return faults.pop(request.method, None) if when == moment else None

    cloudflare.hook = lose
    try:
        cloud_sample.write_program(make_program()).up()
    except UpdateFailed:
        # This client does not repeat a PUT after a 502; the next run finds the domain.
        cloud_sample.up()
    assert cloud_sample.find_record("route")["id"] == get_only(cloudflare.world.routes)["id"]
    assert cloud_sample.find_record("domain")["id"] == get_only(cloudflare.world.domains)["id"]


def test_a_route_that_this_stack_did_not_create_is_refused(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    existing = {"id": "x", "pattern": "shop.example.com/*", "script": "other"}
    cloudflare.world.routes["x"] = existing
    with pytest.raises(UpdateFailed, match=r"'shop.example.com/\*' already exists"):
        cloud_sample.write_program(make_program()).up()
    assert cloudflare.world.routes == {"x": existing}


def test_an_upload_contains_settings_and_bindings_as_cloudflare_spells_them(
    cloud_sample: Sample, cloudflare: FakeCloudflare
) -> None:
    cloud_sample.write_program(
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
    (upload,) = cloudflare.requests
    assert upload.parts is not None
    metadata = json.loads(upload.parts[1]["text"])
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
