"""The rules of deployments: which versions a script's requests go to, and in which shares.

Here all requests go to the version with the largest share: the split itself is kept and shown.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import hyphened_id, now
from flowflare.emulator.database import Database
from flowflare.emulator.json_text import NotJsonError, parse_json, write_json
from flowflare.emulator.services.scripts.script import Script
from flowflare.emulator.services.scripts.store import ScriptsStore

_MOST_VERSIONS = 2
_KEPT = 100
Deployment = dict[str, Any]


class DeploymentsStore:
    """Deployments of all scripts. An upload makes one by itself, of all requests.

    Args:
        database: the emulator's file.
        scripts: whose they are.
    """

    def __init__(self, database: Database, scripts: ScriptsStore) -> None:
        self._database = database
        self._scripts = scripts

    def of(self, account: str, name: str) -> list[Deployment]:
        """A script's deployments, the one in force first.

        Raises:
            Refusal: 10007.
        """
        live = self._scripts.get(account, name)
        rows = self._database.rows(
            "SELECT version, record FROM deployments WHERE account = ? AND script = ? "
            "ORDER BY number DESC LIMIT ?",
            account,
            name,
            _KEPT,
        )
        made = [each for row in rows if (each := _record(row["record"]))]
        if rows and rows[0]["version"] == live.version_id:
            return made
        return [_of_upload(live), *made]

    def get(self, account: str, name: str, identity: str) -> Deployment:
        """A deployment by its id.

        Raises:
            Refusal: 10007 no script, 10336 no deployment.
        """
        found = [each for each in self.of(account, name) if each["id"] == identity]
        if not found:
            raise codes.deployment_not_found()
        return found[0]

    def make(self, account: str, name: str, asked: Mapping[str, Any], source: str) -> Deployment:
        """Sends a script's requests to these versions.

        Args:
            account: the account.
            name: the script's name.
            asked: `strategy`, `versions` with `version_id` and `percentage`, `annotations`.
            source: the client's kind.

        Raises:
            Refusal: 10001 shares that are not all of it, 10007 no script, 100146 no version, or a
                code of bindings and classes.
        """
        shares = _shares(asked)
        for identity in shares:
            self._scripts.version(account, name, identity)
        live = self._scripts.deploy(account, name, max(shares, key=lambda each: shares[each]))
        made = {
            "id": hyphened_id(),
            "source": source,
            "strategy": "percentage",
            "author_email": "user@example.com",
            "created_on": now(),
            "versions": _written(shares),
            "annotations": asked.get("annotations") or {},
        }
        self._database.run(
            "INSERT INTO deployments (account, script, version, record) VALUES (?, ?, ?, ?)",
            account,
            name,
            live.version_id,
            write_json(made),
        )
        return made


def _record(text: str) -> Deployment | None:
    """A stored deployment, None where its row is not in order."""
    try:
        record = parse_json(text)
    except NotJsonError:
        return None
    return record if isinstance(record, dict) else None


def _shares(asked: Mapping[str, Any]) -> dict[str, float]:
    versions = asked.get("versions")
    if asked.get("strategy", "percentage") != "percentage":
        raise codes.invalid_body("`strategy` must be `percentage`.")
    if not isinstance(versions, list) or not 1 <= len(versions) <= _MOST_VERSIONS:
        raise codes.invalid_body(f"`versions` must be a list of 1 to {_MOST_VERSIONS} versions.")
    shares: dict[str, float] = {}
    for each in versions:
        share = each.get("percentage") if isinstance(each, dict) else None
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 100:
            raise codes.invalid_body("`percentage` must be more than 0 and at most 100.")
        shares[str(each.get("version_id"))] = share
    if len(shares) != len(versions) or round(sum(shares.values()), 6) != 100:
        raise codes.invalid_body("The percentages of different versions must total 100.")
    return shares


def _written(shares: Mapping[str, float]) -> Sequence[dict[str, Any]]:
    return [{"version_id": key, "percentage": share} for key, share in shares.items()]


def _of_upload(script: Script) -> Deployment:
    return {
        "id": str(uuid.uuid5(uuid.UUID(script.version_id), "deployment")),
        "source": script.deployed_from,
        "strategy": "percentage",
        "author_email": "user@example.com",
        "created_on": script.modified_on,
        "versions": _written({script.version_id: 100}),
        "annotations": script.metadata.get("annotations") or {},
    }
