"""Hold the rules of deployments: which versions get a script's requests, and in which shares.

In the emulator all requests go to the version with the largest share. The split itself is stored
and shown.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import hyphened_id, now
from flowflare.emulator.database import Database, Store
from flowflare.emulator.json_text import NotJsonError, parse_json, write_json
from flowflare.emulator.services.scripts.script import Script
from flowflare.emulator.services.scripts.store import ScriptsStore

_MAX_VERSIONS = 2
_MAX_DEPLOYMENTS = 100
Deployment = dict[str, Any]


class DeploymentsStore(Store):
    """Store the deployments of all scripts. An upload creates one for all requests."""

    def __init__(self, database: Database, scripts: ScriptsStore) -> None:
        super().__init__(database)
        self._scripts = scripts

    def list_deployments(self, account: str, name: str) -> list[Deployment]:
        """List a script's deployments, the active deployment first. Refusal: 10007."""
        live = self._scripts.get(account, name)
        rows = self._database.rows(
            "SELECT version, record FROM deployments WHERE account = ? AND script = ? "
            "ORDER BY number DESC LIMIT ?",
            account,
            name,
            _MAX_DEPLOYMENTS,
        )
        created = [deployment for row in rows if (deployment := _record(row["record"]))]
        if not live.number or (rows and rows[0]["version"] == live.version_id):
            return created
        return [_view_upload(live), *created]

    def get(self, account: str, name: str, identity: str) -> Deployment:
        """Return a deployment by its ID.

        Raises:
            Refusal: 10007 unknown script, 10336 unknown deployment.
        """
        deployments = self.list_deployments(account, name)
        matching = [item for item in deployments if item["id"] == identity]
        if not matching:
            raise codes.deployment_not_found()
        return matching[0]

    def create(self, account: str, name: str, asked: Mapping[str, Any], source: str) -> Deployment:
        """Send a script's requests to these versions.

        Args:
            asked: `strategy`, `versions` with `version_id` and `percentage`, `annotations`.

        Raises:
            Refusal: 10001 the shares do not total 100, 10007 unknown script, 100146 unknown
                version, or a code of bindings and classes.
        """
        shares = _shares(asked)
        for identity in shares:
            self._scripts.version(account, name, identity)
        live = self._scripts.deploy(account, name, max(shares, key=lambda version: shares[version]))
        deployment = {
            "id": hyphened_id(),
            "source": source,
            "strategy": "percentage",
            "author_email": "user@example.com",
            "created_on": now(),
            "versions": _view_shares(shares),
            "annotations": asked.get("annotations") or {},
        }
        self._database.run(
            "INSERT INTO deployments (account, script, version, record) VALUES (?, ?, ?, ?)",
            account,
            name,
            live.version_id,
            write_json(deployment),
        )
        return deployment


def _record(text: str) -> Deployment | None:
    """Parse a stored deployment, or return None if its row is invalid."""
    try:
        record = parse_json(text)
    except NotJsonError:
        return None
    return record if isinstance(record, dict) else None


def _shares(asked: Mapping[str, Any]) -> dict[str, float]:
    versions = asked.get("versions")
    if asked.get("strategy", "percentage") != "percentage":
        raise codes.invalid_body("`strategy` must be `percentage`.")
    if not isinstance(versions, list) or not 1 <= len(versions) <= _MAX_VERSIONS:
        raise codes.invalid_body(f"`versions` must be a list of 1 to {_MAX_VERSIONS} versions.")
    shares: dict[str, float] = {}
    for version in versions:
        share = version.get("percentage") if isinstance(version, dict) else None
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 100:
            raise codes.invalid_body("`percentage` must be at least 0 and at most 100.")
        shares[str(version.get("version_id"))] = share
    if len(shares) != len(versions) or round(sum(shares.values()), 6) != 100:
        raise codes.invalid_body("The percentages of different versions must total 100.")
    return shares


def _view_shares(shares: Mapping[str, float]) -> Sequence[dict[str, Any]]:
    return [{"version_id": key, "percentage": share} for key, share in shares.items()]


def _view_upload(script: Script) -> Deployment:
    return {
        "id": str(uuid.uuid5(uuid.UUID(script.version_id), "deployment")),
        "source": script.deployed_from,
        "strategy": "percentage",
        "author_email": "user@example.com",
        "created_on": script.modified_on,
        "versions": _view_shares({script.version_id: 100}),
        "annotations": script.metadata.get("annotations") or {},
    }
