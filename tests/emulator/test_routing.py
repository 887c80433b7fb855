"""Zones, routes and custom domains: created, refused, and reaching their Workers."""

import secrets
from typing import Any

import pytest

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, Refused, get, request

pytestmark = pytest.mark.workerd

ECHO = """
export default {
  async fetch(request) {
    return new Response(`${request.method} ${request.url} ${await request.text()}`);
  },
};
"""


def unique() -> str:
    """Return a domain name that no other test uses."""
    return f"z{secrets.token_hex(6)}.example"


class Zone:
    """A zone that does not exist yet, for an account's routes."""

    def __init__(self, account: Account) -> None:
        self.id = secrets.token_hex(16)
        self.url = f"{account.running.base_url}/zones/{self.id}"
        self.name = unique()
        self.headers = account.http.headers

    def call(self, method: str, path: str, **body: object) -> dict[str, str]:
        answer = request(method, self.url + path, json=body, headers=self.headers).json()
        assert answer["success"], answer
        result: dict[str, str] = answer["result"]
        return result

    def expect_refusal(self, method: str, path: str, **body: object) -> Refused:
        response = request(method, self.url + path, json=body, headers=self.headers)
        errors = tuple((error["code"], error["message"]) for error in response.json()["errors"])
        return Refused(response.status_code, errors)

    def route(self, pattern: str, script: str | None = "app") -> str:
        return self.call("POST", "/workers/routes", pattern=pattern, script=script)["id"]


@pytest.fixture
def zone(account: Account) -> Zone:
    return Zone(account)


def test_a_route_is_created_changed_and_deleted(account: Account, zone: Zone) -> None:
    account.put("app")
    route = zone.route(f"{zone.name}/a*")
    assert zone.call("GET", f"/workers/routes/{route}") == {
        "id": route,
        "pattern": f"{zone.name}/a*",
        "script": "app",
    }
    changed = zone.call("PUT", f"/workers/routes/{route}", pattern=f"{zone.name}/b*", script="app")
    assert changed["pattern"] == f"{zone.name}/b*"
    assert zone.call("GET", "") | {"name": zone.name} == zone.call("GET", "")
    assert zone.call("DELETE", f"/workers/routes/{route}") == {"id": route}
    assert zone.call("GET", "/workers/routes") == []
    assert zone.expect_refusal("GET", f"/workers/routes/{route}").errors[0][0] == 10009


def test_an_invalid_route_is_refused(account: Account, zone: Zone) -> None:
    account.put("app")
    route = zone.route(f"{zone.name}/a*")

    def expect_refusal(
        pattern: str, script: str = "app", method: str = "POST", path: str = ""
    ) -> Refused:
        return zone.expect_refusal(method, f"/workers/routes{path}", pattern=pattern, script=script)

    taken = ((10020, "A route with the same pattern already exists"),)
    assert expect_refusal(f"{zone.name}/a*") == Refused(409, taken)
    other = zone.route(f"{zone.name}/b*")
    assert expect_refusal(f"{zone.name}/a*", method="PUT", path=f"/{other}").errors == taken
    outside = ((10022, f"Route pattern must include zone name: {zone.name}"),)
    assert expect_refusal("elsewhere.com/*").errors == outside
    assert expect_refusal(f"{zone.name}/*/x").errors[0][0] == 10022
    assert expect_refusal("").errors[0][0] == 10022
    assert expect_refusal(f"{zone.name}/c*", script="missing").errors[0][0] == 10007
    assert expect_refusal("x", method="PUT", path="/nothing").errors[0][0] == 10009
    assert [item["id"] for item in zone.call("GET", "/workers/routes")] == [route, other]  # type: ignore[index]


def test_requests_reach_the_worker_of_the_most_specific_route(account: Account, zone: Zone) -> None:
    account.put("app", ECHO)
    account.put("api", "export default { fetch: () => new Response('api') };")
    zone.route(f"*.{zone.name}/*")
    zone.route(f"shop.{zone.name}/api/*", "api")
    zone.route(f"shop.{zone.name}/public/*", None)

    def ask(path: str, host: str = f"shop.{zone.name}", method: str = "GET") -> str:
        return request(method, account.root + path, headers={"Host": host}, content="body").text

    assert ask("/a?b=c", method="POST") == f"POST http://shop.{zone.name}/a?b=c body"
    assert ask("/api/x") == "api"
    assert "must name this machine" in ask("/public/x")
    assert "must name this machine" in ask("/", host=zone.name)
    local = f"shop.{zone.name}.localhost:{account.running.port}"
    assert ask("/x", host=local) == f"GET http://shop.{zone.name}/x body"
    direct = account.control("GET", f"/workers?account={account.id}")["workers"]
    url = next(worker["url"] for worker in direct if worker["script"] == "app")
    assert get(f"{url}/a", headers={"Host": f"b.{zone.name}"}).status_code == 200
    assert get(f"{url}/a", headers={"Host": zone.name}).status_code == 403


def test_a_custom_domain_answers_as_a_whole_until_it_is_deleted(
    account: Account, zone: Zone
) -> None:
    account.put("app", ECHO)
    body = {"hostname": f"Shop.{zone.name}", "service": "app", "zone_id": zone.id}
    made = account.call("PUT", "/workers/domains", json=body)
    assert made["zone_name"] == zone.name
    assert made["hostname"] == f"shop.{zone.name}"
    assert account.call("PUT", "/workers/domains", json=body) == made
    headers = {"Host": f"shop.{zone.name}"}
    assert get(account.root + "/x/y", headers=headers).text == f"GET http://shop.{zone.name}/x/y "
    account.call("DELETE", f"/workers/domains/{made['id']}")
    assert get(account.root + "/x/y", headers=headers).status_code == 403
    gone = account.expect_refusal("GET", f"/workers/domains/{made['id']}")
    assert (gone.status, gone.errors[0][0]) == (404, 100114)


def test_an_invalid_custom_domain_is_refused(account: Account, zone: Zone) -> None:
    account.put("app")

    def expect_refusal(**asked: str) -> int:
        return account.expect_refusal("PUT", "/workers/domains", json=asked).errors[0][0]

    assert expect_refusal(hostname=zone.name, service="missing", zone_id=zone.id) == 10007
    assert expect_refusal(hostname=zone.name, service="app") == 100115
    assert expect_refusal(hostname="no host", service="app") == 10001
    assert expect_refusal(hostname=zone.name) == 10001
    zone.route(f"{zone.name}/*")
    assert expect_refusal(hostname="other.example", service="app", zone_id=zone.id) == 100115
    account.call("PUT", "/workers/domains", json={"hostname": f"a.{zone.name}", "service": "app"})


def test_a_script_is_deleted_with_its_routes_and_domains(account: Account, zone: Zone) -> None:
    account.put("app")
    zone.route(f"{zone.name}/*")
    body = {"hostname": f"a.{zone.name}", "service": "app", "zone_id": zone.id}
    account.call("PUT", "/workers/domains", json=body)
    account.call("DELETE", "/workers/scripts/app")
    assert zone.call("GET", "/workers/routes") == []
    assert account.call("GET", "/workers/domains") == []


def test_all_routes_and_domains_of_a_script_are_replaced_at_once(
    account: Account, zone: Zone
) -> None:
    account.put("app")
    account.put("other")
    kept = zone.route(f"{zone.name}/other*", "other")
    script = "/workers/scripts/app"

    def routes(*patterns: str) -> None:
        wanted = [{"pattern": each, "zone_id": zone.id} for each in patterns]
        account.call("PUT", f"{script}/routes", json=wanted)

    routes(f"{zone.name}/a*", f"{zone.name}/b*")
    routes(f"{zone.name}/b*", f"{zone.name}/c*")
    found: list[Any] = zone.call("GET", "/workers/routes")  # type: ignore[assignment]
    assert [each["pattern"][-2:] for each in found] == ["b*", "c*", "r*"]
    taken = [{"pattern": f"{zone.name}/other*", "zone_name": zone.name}]
    assert account.expect_refusal("PUT", f"{script}/routes", json=taken).errors[0][0] == 10020
    nowhere = [{"pattern": "elsewhere.example/*"}]
    assert account.expect_refusal("PUT", f"{script}/routes", json=nowhere).errors[0][0] == 1001
    assert zone.call("GET", "/workers/routes") == found
    assert kept in [each["id"] for each in found]

    def domains(*hosts: str) -> Any:
        wanted = [{"hostname": each} for each in hosts]
        compared = account.call("POST", f"{script}/domains/changeset", json=wanted)
        account.call("PUT", f"{script}/domains/records", json={"origins": wanted})
        return {key: len(value) for key, value in compared.items()}

    first, second = f"a.{zone.name}", f"b.{zone.name}"
    assert domains(first) == {"added": 1, "removed": 0, "updated": 0, "conflicting": 0}
    assert domains(first, second) == {"added": 1, "removed": 0, "updated": 1, "conflicting": 0}
    assert domains(second) == {"added": 0, "removed": 1, "updated": 1, "conflicting": 0}
    found = account.call("GET", "/workers/domains/records", params={"service": "app"})
    assert [each["hostname"] for each in found] == [second]


def test_a_zone_may_be_created_first(account: Account, zone: Zone) -> None:
    name = f"deep.{zone.name}"
    account.control("PUT", f"/zones/{zone.id}", json={"name": name, "account": account.id})
    account.put("app")
    assert (
        zone.expect_refusal("POST", "/workers/routes", pattern=f"{zone.name}/*").errors[0][0]
        == 10022
    )
    zone.route(f"a.{name}/*")
    assert (
        zone.expect_refusal("POST", "/workers/routes", pattern="x.com", script="b").errors[0][0]
        == 10007
    )


def test_the_official_sdk_creates_zones_routes_and_domains(
    account: Account, cloud: Running
) -> None:
    from cloudflare import Cloudflare

    name = unique()
    account.put("app")
    with Cloudflare(base_url=cloud.base_url, api_token=cloud.token, max_retries=0) as sdk:
        zone = sdk.zones.create(account={"id": account.id}, name=name)
        assert zone
        assert [each.id for each in sdk.zones.list(name=name)] == [zone.id]
        routes = sdk.workers.routes
        made = routes.create(zone_id=zone.id, pattern=f"{name}/*", script="app")
        assert made
        assert routes.get(made.id, zone_id=zone.id).pattern == f"{name}/*"
        assert [each.id for each in routes.list(zone_id=zone.id)] == [made.id]
        routes.delete(made.id, zone_id=zone.id)
        domains = sdk.workers.domains
        domain = domains.update(account_id=account.id, hostname=name, service="app")
        assert domain
        assert domain.zone_id == zone.id
        assert [each.id for each in domains.list(account_id=account.id)] == [domain.id]
        domains.delete(domain.id, account_id=account.id)
        sdk.zones.delete(zone_id=zone.id)
        assert list(sdk.zones.list(name=name)) == []
