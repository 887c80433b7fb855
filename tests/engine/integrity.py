"""Verify a checkpoint as the Pulumi CLI does before it reads the stack.

The rules are those of `pkg/resource/deploy/snapshot.go` of pulumi/pulumi.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"


def verify(path: Path) -> list[dict[str, Any]]:
    """Assert that `pulumi preview` would accept the checkpoint; return its records."""
    raw = json.loads(path.read_text("utf-8"))
    assert raw["version"] == 3
    latest = raw["checkpoint"]["latest"]
    manifest = latest["manifest"]
    magic = hashlib.sha256(manifest["version"].encode()).hexdigest()
    assert manifest["magic"] == (magic if manifest["version"] else "")
    assert "T" in manifest["time"]
    records: list[dict[str, Any]] = latest.get("resources", [])
    seen: dict[str, dict[str, Any]] = {}
    for record in records:
        _verify_record(record, seen)
    for pending in latest.get("pending_operations", []):
        assert pending["type"] in ("creating", "updating", "deleting", "reading", "importing")
        _verify_names(pending["resource"], seen)
    secrets = _count_secrets(latest)
    assert not secrets or latest["secrets_providers"]["state"]["salt"].startswith("v1:")
    return records


def _verify_record(record: dict[str, Any], seen: dict[str, dict[str, Any]]) -> None:
    urn = record["urn"]
    assert record["type"]
    assert record["custom"] is bool(record.get("id")), f"{urn}: only custom resources have an ID"
    _verify_names(record, seen)
    if not record.get("delete"):
        assert urn not in seen, f"{urn} exists twice"
        seen[urn] = record
    else:
        seen.setdefault(urn, record)


def _verify_names(record: dict[str, Any], seen: dict[str, dict[str, Any]]) -> None:
    urn = record["urn"]
    named = [record.get("parent"), record.get("deletedWith"), *record.get("dependencies", [])]
    named += record.get("replaceWith", [])
    for urns in record.get("propertyDependencies", {}).values():
        named += urns
    for name in filter(None, named):
        assert name in seen, f"{urn} names {name}, which does not come before it"
    if record["custom"] and not record["type"].startswith("pulumi:providers:"):
        provider, _, id_ = record["provider"].rpartition("::")
        if not record.get("pendingReplacement"):
            assert provider in seen, f"{urn}: its provider {provider} does not come before it"
            assert seen[provider]["id"] == id_


def _count_secrets(value: Any) -> int:
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            assert ("ciphertext" in value) != ("plaintext" in value)
            assert value["ciphertext"].startswith("v1:")
            return 1
        return sum(_count_secrets(item) for item in value.values())
    return sum(_count_secrets(item) for item in value) if isinstance(value, list) else 0
