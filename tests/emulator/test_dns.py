"""DNS records of zones, with the official SDK as the judge of their shape."""

import secrets
from collections.abc import Iterator

import cloudflare
import pytest

from tests.emulator.emulated import Account

pytestmark = pytest.mark.workerd


@pytest.fixture
def client(account: Account) -> Iterator[cloudflare.Cloudflare]:
    with cloudflare.Cloudflare(
        api_token=account.running.token,
        base_url=account.running.base_url,
        max_retries=0,
        _strict_response_validation=True,
    ) as sdk:
        yield sdk


class Zone:
    """A zone of the account."""

    def __init__(self, account: Account) -> None:
        self.id = secrets.token_hex(16)
        self.name = f"z{secrets.token_hex(6)}.example"
        account.control("PUT", f"/zones/{self.id}", json={"name": self.name, "account": account.id})


@pytest.fixture
def zone(account: Account) -> Zone:
    return Zone(account)


def test_records_are_created_changed_and_deleted(client: cloudflare.Cloudflare, zone: Zone) -> None:
    records = client.dns.records
    www = records.create(
        zone_id=zone.id, name="www", type="A", content="192.0.2.1", ttl=1, proxied=True
    )
    mail = records.create(
        zone_id=zone.id, name="@", type="MX", content="Mail.example.net.", ttl=300, priority=10
    )
    text = records.create(
        zone_id=zone.id, name=zone.name, type="TXT", content='"v=spf1 -all"', ttl=60
    )
    assert (www.name, www.proxiable, www.proxied, www.ttl) == (f"www.{zone.name}", True, True, 1)
    assert (mail.name, mail.content, mail.priority) == (zone.name, "mail.example.net", 10)
    assert {record.id for record in records.list(zone_id=zone.id)} == {www.id, mail.id, text.id}
    filtered = records.list(zone_id=zone.id, type="A", name={"exact": f"www.{zone.name}"})
    assert [record.id for record in filtered] == [www.id]
    assert [each.id for each in records.list(zone_id=zone.id, proxied=True)] == [www.id]

    edited = records.edit(www.id, zone_id=zone.id, name="www", ttl=120, type="A", proxied=False)
    assert (edited.content, edited.ttl, edited.created_on) == ("192.0.2.1", 120, www.created_on)
    updated = records.update(
        www.id,
        zone_id=zone.id,
        name="shop",
        type="CNAME",
        content="example.org",
        ttl=1,
        comment="x",
    )
    assert records.get(www.id, zone_id=zone.id) == updated
    assert records.delete(www.id, zone_id=zone.id).id == www.id
    with pytest.raises(cloudflare.NotFoundError, match="81044"):
        records.get(www.id, zone_id=zone.id)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"type": "A", "content": "example.org"}, 9005),
        ({"type": "AAAA", "content": "192.0.2.1"}, 9006),
        ({"type": "TXT", "content": "x", "proxied": True}, 9004),
        ({"type": "TXT", "content": ""}, 1004),
        ({"type": "NOPE", "content": "x"}, 1004),
        ({"type": "MX", "content": "mail.example.net"}, 1004),
        ({"type": "A", "content": "192.0.2.9", "ttl": 5}, 1004),
        ({"type": "A", "content": "192.0.2.9", "ttl": True}, 1004),
        ({"type": "A", "content": "192.0.2.9", "name": "a..b"}, 1004),
        ({"type": "A", "content": "192.0.2.9", "comment": "x" * 101}, 1004),
        ({"type": "A", "content": "192.0.2.1"}, 81058),
        ({"type": "CNAME", "content": "example.org"}, 81053),
        ({"type": "AAAA", "content": "2001:db8::1", "name": "alias"}, 81054),
    ],
)
def test_invalid_records_are_refused(
    account: Account, zone: Zone, record: dict[str, object], code: int
) -> None:
    url = f"{account.running.base_url}/zones/{zone.id}/dns_records"
    first = {"name": "taken", "type": "A", "content": "192.0.2.1"}
    alias = {"name": "alias", "type": "CNAME", "content": "example.org"}
    for other in (first, alias):
        assert account.http.post(url, json=other).status_code == 200
    answer = account.http.post(url, json={"name": "taken", **record})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


@pytest.mark.parametrize("kind", ["SRV", "CAA", "HTTPS"])
def test_a_type_with_structured_data_is_not_emulated(
    account: Account, zone: Zone, kind: str
) -> None:
    url = f"{account.running.base_url}/zones/{zone.id}/dns_records"
    answer = account.http.post(url, json={"name": "own", "type": kind, "data": {}})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (501, 501501)
    assert f"dns_records of type {kind}" in answer.json()["errors"][0]["message"]


def test_a_custom_domain_has_a_record_that_only_the_domain_changes(
    account: Account, client: cloudflare.Cloudflare, zone: Zone
) -> None:
    account.put("app")
    hostname = f"shop.{zone.name}"
    domain = {"hostname": hostname, "service": "app", "zone_id": zone.id}
    made = account.call("PUT", "/workers/domains", json=domain)
    [record] = client.dns.records.list(zone_id=zone.id)
    assert (record.name, record.type, record.content, record.proxied) == (
        hostname,
        "AAAA",
        "100::",
        True,
    )
    with pytest.raises(cloudflare.BadRequestError, match="1043"):
        client.dns.records.delete(record.id, zone_id=zone.id)
    account.call("DELETE", f"/workers/domains/{made['id']}")
    assert not list(client.dns.records.list(zone_id=zone.id))


def test_records_end_with_their_zone(account: Account, zone: Zone) -> None:
    url = f"{account.running.base_url}/zones/{zone.id}"
    record = {"name": "a", "type": "A", "content": "192.0.2.1"}
    assert account.http.post(f"{url}/dns_records", json=record).status_code == 200
    account.http.delete(url)
    assert account.http.get(f"{url}/dns_records").status_code == 404
