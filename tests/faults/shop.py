"""A shop with each kind of resource, in two versions that differ in everything."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowflare.api import Connector
from flowflare.engine.embedded.stack import EmbeddedStack
from tests.e2e.conftest import Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.engine.projects import PASSPHRASE, SALT
from tests.support.embedded import open_embedded

SOURCE = """\
import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";

export class OrderWorkflow extends WorkflowEntrypoint {
  async run() {}
}

export class Till extends DurableObject {
  fetch() {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS sale (id INTEGER PRIMARY KEY)");
    this.ctx.storage.sql.exec("INSERT INTO sale DEFAULT VALUES");
    const { sales } = this.ctx.storage.sql.exec("SELECT count(*) AS sales FROM sale").one();
    return Response.json({ sales, version: VERSION });
  }
}
EXTRA
export default {
  fetch: (request, env) => env.TILL.get(env.TILL.idFromName("one")).fetch(request),
  scheduled() {},
};
"""
ARCHIVE = "worker_src/orders/archive"


def _make_client(version: int) -> dict[str, Any]:
    """Return the configuration of the client, which differs in everything between the versions."""
    steps = [{"tag": "till", "newSqliteClasses": ["Till"]}]
    objects = {"TILL": {"className": "Till"}}
    workflows = {"order": {"className": "OrderWorkflow"}, "gift": {"className": "OrderWorkflow"}}
    if version == 2:
        steps.append({"tag": "safe", "newSqliteClasses": ["Safe"]})
        objects["SAFE"] = {"className": "Safe"}
        workflows = {"order": {"className": "OrderWorkflow"}, "loan": {"className": "LoanWorkflow"}}
    return {
        # One file for each version: the cache keeps one bundle for each path.
        "source": f"worker_src/orders/src/v{version}.js",
        "workflows": workflows,
        "variables": {"VERSION": str(version)},
        "secrets": {"TOKEN": {"file": "token"}},
        "databases": {"ARCHIVE": {"migrations": ARCHIVE}},
        "durableObjects": objects,
        "classMigrations": steps,
        "crons": [f"{version} * * * *"],
    }


_EXTRA = """
export class LoanWorkflow extends WorkflowEntrypoint {
  async run() {}
}
export class Safe extends DurableObject {}
"""


@dataclass(frozen=True)
class Shop:
    """A project with its own account."""

    project: Project

    @property
    def account(self) -> Any:
        return self.project.account

    def stack(self, api: Connector) -> EmbeddedStack:
        environ = {**os.environ, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
        return open_embedded(self.project.root, "local", environ=environ, api=api)

    def become(self, version: int) -> None:
        """Write one version's configuration, code, migrations and secret."""
        write(self.project.root / "Pulumi.yaml", json.dumps(_make_settings(version)))
        source = SOURCE.replace("VERSION", str(version))
        extra = _EXTRA if version == 2 else ""
        write(
            self.project.root / f"worker_src/orders/src/v{version}.js",
            source.replace("EXTRA", extra),
        )
        write(self.project.root / "token", f"the token of version {version}\n")
        files = [f"000{number}_archive.sql" for number in (1, 2)][:version]
        for number, name in enumerate(files, start=1):
            table = f"CREATE TABLE page{number} (id INTEGER PRIMARY KEY, text TEXT);\n"
            write(self.project.root / ARCHIVE / name, table)

    def databases(self) -> dict[str, str]:
        """Return the IDs by name; fail if two databases have one name."""
        listed = self.account.get("/d1/database?per_page=100")
        assert len({row["name"] for row in listed}) == len(listed), "one database only"
        return {row["name"]: row["uuid"] for row in listed}

    def query(self, database: str, sql: str) -> list[dict[str, Any]]:
        answer = self.account.post(f"/d1/database/{self.databases()[database]}/query", {"sql": sql})
        rows: list[dict[str, Any]] = answer[-1]["results"]
        return rows


def _make_settings(version: int) -> dict[str, Any]:
    config = {
        "flowflare:clients": {"value": {"orders": _make_client(version)}},
        "flowflare:crons": {"value": [f"{version} 1 * * *"]},
    }
    return {"name": "flowflare", "runtime": "python", "main": "infra", "config": config}


def make_shop(root: Path, cloudflare: Cloudflare) -> Shop:
    """Make the shop's first version, which is not deployed."""
    project = make_project(root, cloudflare)
    shutil.rmtree(root / "worker_src")
    # One salt for all shops: a process derives its key only once.
    stack_file = root / "Pulumi.local.yaml"
    stack_file.write_text(f"encryptionsalt: {SALT}\n{stack_file.read_text()}")
    shop = Shop(project)
    shop.become(1)
    return shop


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def read_inventory(shop: Shop) -> dict[str, Any]:
    """Return the content of the account, with names instead of IDs."""
    account = shop.account
    databases = shop.databases()
    namespaces = account.get("/workers/durable_objects/namespaces")
    names = {identity: f"<{name}>" for name, identity in databases.items()}
    names |= {row["id"]: f"<{row['script']}/{row['class']}>" for row in namespaces}
    scripts = {}
    for name in account.list_scripts():
        path = f"/workers/scripts/{name}"
        settings = account.get(f"{path}/settings")
        scripts[name] = {
            "bindings": sorted(settings.pop("bindings"), key=lambda row: str(row["name"])),
            "settings": settings,
            "crons": [row["cron"] for row in account.get(f"{path}/schedules")["schedules"]],
            "subdomain": account.get(f"{path}/subdomain")["enabled"],
        }
    held = {
        "databases": {name: _read_ledger(shop, name) for name in sorted(databases)},
        "namespaces": sorted(names[row["id"]] for row in namespaces),
        "scripts": scripts,
        "workflows": sorted(
            (row["name"], row["class_name"], row["script_name"])
            for row in account.get("/workflows")
        ),
    }
    text = json.dumps(held, sort_keys=True).replace(account.identity, "<account>")
    for identity, name in names.items():
        text = text.replace(identity, name)
    found: dict[str, Any] = json.loads(text)
    return found


def _read_ledger(shop: Shop, database: str) -> Sequence[str]:
    rows = shop.query(database, "SELECT name FROM d1_migrations ORDER BY id")
    return [row["name"] for row in rows]


#: The fields of a record that differ between stacks.
_OWN = frozenset({"created", "modified", "id", "provider"})
#: The inputs and outputs that differ: IDs, times, keys, and values derived from them.
_MOMENTS = frozenset({"createdAt", "createdOn", "modifiedOn", "changed_at", "startupTimeMs"})
_IDS = frozenset({"etag", "fingerprint", "key_id", "uuid", "version", "versionId"})
_OWN_VALUES = _MOMENTS | _IDS | {"fileSize"}
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


def read_state(shop: Shop) -> dict[str, Any]:
    """Return the stack's state by URN, without the values that differ between stacks.

    Check that no operation is pending, and that no resource is uncertain or duplicate.
    """
    file = shop.project.root / ".flowflare/state/.pulumi/stacks/flowflare/local.json"
    latest = json.loads(file.read_text())["checkpoint"]["latest"]
    assert "pending_operations" not in latest, "an operation is left pending"
    records = latest.get("resources", [])
    urns = [record["urn"] for record in records]
    assert len(set(urns)) == len(urns), "a resource is there twice"
    doubtful = [record["urn"] for record in records if "initErrors" in record]
    assert not doubtful, f"in doubt: {doubtful}"
    text = json.dumps([_common(record) for record in records], sort_keys=True)
    own = {identity: f"<{name}>" for name, identity in shop.databases().items()}
    own |= {shop.account.identity: "<account>", str(shop.project.root): "<root>"}
    for value, name in own.items():
        text = text.replace(value, name)
    return {record["urn"]: record for record in json.loads(_ADDRESS.sub("<address>", text))}


def _common(record: dict[str, Any]) -> dict[str, Any]:
    return {key: _without_own(value) for key, value in record.items() if key not in _OWN}


def _without_own(value: Any) -> Any:
    if isinstance(value, dict):
        if "ciphertext" in value:
            return "<secret>"
        return {
            key: "<own>" if key in _OWN_VALUES else _without_own(item)
            for key, item in value.items()
        }
    return [_without_own(item) for item in value] if isinstance(value, list) else value
