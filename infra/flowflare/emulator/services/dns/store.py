"""Hold the rules of DNS records, and show those of custom domains.

Types whose content is one text are stored. Types with structured `data` are not emulated.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from flowflare.emulator import codes
from flowflare.emulator import dns_codes as dns
from flowflare.emulator.clock import now, plain_id
from flowflare.emulator.database import Database, Store
from flowflare.emulator.json_text import write_json
from flowflare.emulator.services.zones.store import Zone, ZonesStore

Record = dict[str, Any]

TYPES: Final = ("A", "AAAA", "CNAME", "MX", "NS", "OPENPGPKEY", "PTR", "TXT")
_STRUCTURED: Final = (
    *("CAA", "CERT", "DNSKEY", "DS", "HTTPS", "LOC", "NAPTR"),
    *("SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "URI"),
)
_PROXIABLE: Final = ("A", "AAAA", "CNAME")
_LABEL: Final = re.compile(r"(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)")
_FIELDS: Final = ("name", "type", "content", "ttl", "proxied", "priority", "comment", "tags")
_AUTOMATIC: Final = 1
_MAX_COMMENT: Final = 100


class DnsStore(Store):
    """Store the DNS records of all zones."""

    def __init__(self, database: Database, zones: ZonesStore) -> None:
        super().__init__(database)
        self._zones = zones

    def records(self, zone: str) -> list[Record]:
        """List a zone's records by name and type, with those of custom domains."""
        found = self._zones.get(zone)
        rows = self._database.select("dns_records", zone=found.id)
        records = [json.loads(row["record"]) for row in rows] + self._list_domains(found)
        return sorted(records, key=lambda record: (record["name"], record["type"], record["id"]))

    def record(self, zone: str, identity: str) -> Record:
        """Return a record. Refusal: 81044."""
        for record in self.records(zone):
            if record["id"] == identity:
                return record
        raise dns.record_not_found()

    def create(self, zone: str, asked: Mapping[str, Any]) -> Record:
        """Create a record.

        Raises:
            Refusal: 1004, 9004, 9005, 9006 invalid; 81053, 81054, 81058 another record
                prevents it.
        """
        moment = now()
        return self._save(self._zones.get(zone), asked, {"id": plain_id(), "created_on": moment})

    def replace(self, zone: str, identity: str, asked: Mapping[str, Any]) -> Record:
        """Replace a record. Refusals: as for `create`; 81044; 1043 of a custom domain."""
        before = self._changeable(zone, identity)
        return self._save(self._zones.get(zone), asked, before)

    def edit(self, zone: str, identity: str, asked: Mapping[str, Any]) -> Record:
        """Change the given fields of a record. Refusals: as for `replace`."""
        before = self._changeable(zone, identity)
        fields: Record = {name: before[name] for name in _FIELDS if name in before}
        return self._save(self._zones.get(zone), fields | dict(asked), before)

    def delete(self, zone: str, identity: str) -> None:
        """Delete a record. Refusals: 81044; 1043 of a custom domain."""
        self._changeable(zone, identity)
        self._database.delete("dns_records", id=identity)

    def _changeable(self, zone: str, identity: str) -> Record:
        record = self.record(zone, identity)
        if record["meta"].get("read_only"):
            raise dns.record_of_worker()
        return record

    def _save(self, zone: Zone, asked: Mapping[str, Any], before: Mapping[str, Any]) -> Record:
        record = {
            "id": before["id"],
            **_read_record(zone, asked),
            "settings": {},
            "meta": {},
            "created_on": before["created_on"],
            "modified_on": now(),
        }
        self._check_others(zone, record)
        self._database.insert(
            "dns_records", record["id"], zone.id, write_json(record), replace=True
        )
        return record

    def _check_others(self, zone: Zone, record: Record) -> None:
        for other in self.records(zone.id):
            if other["id"] == record["id"] or other["name"] != record["name"]:
                continue
            types = {other["type"], record["type"]}
            if types <= set(_PROXIABLE) and "CNAME" in types:
                raise dns.host_exists() if record["type"] == "CNAME" else dns.alias_exists()
            if len(types) == 1 and other["content"] == record["content"]:
                raise dns.record_exists()

    def _list_domains(self, zone: Zone) -> list[Record]:
        """Return the records that custom domains make: proxied, and changed only by the domain.

        The content `100::` is what Cloudflare's dashboard and API show. `meta` is our reading.
        """
        return [
            {
                "id": row["id"],
                "name": row["hostname"],
                "type": "AAAA",
                "content": "100::",
                "proxiable": True,
                "proxied": True,
                "ttl": _AUTOMATIC,
                "comment": None,
                "tags": [],
                "settings": {},
                "meta": {"origin_worker_id": row["script"], "read_only": True},
                "created_on": zone.created_on,
                "modified_on": zone.created_on,
            }
            for row in self._database.select("domains", zone=zone.id)
        ]


def _read_record(zone: Zone, asked: Mapping[str, Any]) -> Record:
    """Return the fields of a record as they are stored."""
    kind, content = asked.get("type"), asked.get("content")
    if kind in _STRUCTURED:
        raise codes.not_emulated("POST", f"/zones/{{zone_id}}/dns_records of type {kind}")
    if kind not in TYPES:
        raise dns.invalid_record("`type` must be the type of a DNS record.")
    if not isinstance(content, str) or not content.strip():
        raise dns.invalid_record("`content` must be a text that is not empty.")
    proxied = asked.get("proxied") or False
    if not isinstance(proxied, bool):
        raise dns.invalid_record("`proxied` must be true or false.")
    if proxied and kind not in _PROXIABLE:
        raise dns.not_proxiable()
    record = {
        "name": _read_name(zone, asked.get("name")),
        "type": kind,
        "content": _read_content(str(kind), content.strip()),
        "proxiable": kind in _PROXIABLE,
        "proxied": proxied,
        "ttl": _AUTOMATIC if proxied else _read_ttl(asked.get("ttl", _AUTOMATIC)),
        **_read_notes(asked),
    }
    if kind != "MX":
        return record
    priority = asked.get("priority")
    if not isinstance(priority, int) or isinstance(priority, bool) or not 0 <= priority <= 65535:
        raise dns.invalid_record("`priority` of an MX record must be a number from 0 to 65535.")
    return {**record, "priority": priority}


def _read_name(zone: Zone, name: object) -> str:
    if not isinstance(name, str) or not name:
        raise dns.invalid_record("`name` must be a hostname.")
    name = name.lower().rstrip(".")
    full = zone.name if name == "@" else name if zone.contains(name) else f"{name}.{zone.name}"
    if len(full) > 255 or not all(_LABEL.fullmatch(label) for label in full.split(".")):
        raise dns.invalid_record(f"`name` must be a hostname in {zone.name}.")
    return full


def _read_content(kind: str, content: str) -> str:
    if kind == "A":
        try:
            return str(ipaddress.IPv4Address(content))
        except ValueError:
            raise dns.not_ipv4() from None
    if kind == "AAAA":
        try:
            return str(ipaddress.IPv6Address(content))
        except ValueError:
            raise dns.not_ipv6() from None
    return content if kind in ("TXT", "OPENPGPKEY") else content.lower().rstrip(".")


def _read_ttl(ttl: object) -> int:
    if isinstance(ttl, float) and ttl.is_integer():
        ttl = int(ttl)
    if isinstance(ttl, bool) or not isinstance(ttl, int):
        raise dns.invalid_record("`ttl` must be a number of seconds.")
    if ttl != _AUTOMATIC and not 60 <= ttl <= 86_400:
        raise dns.invalid_record("`ttl` must be 1 for automatic, or from 60 to 86400.")
    return ttl


def _read_notes(asked: Mapping[str, Any]) -> Record:
    comment, tags = asked.get("comment"), asked.get("tags") or []
    if comment is not None and (not isinstance(comment, str) or len(comment) > _MAX_COMMENT):
        raise dns.invalid_record(f"`comment` must be a text of up to {_MAX_COMMENT} characters.")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise codes.invalid_body("`tags` must be a list of texts.")
    return {"comment": comment or None, "tags": sorted(tags)}
