"""Unmodified wrangler deploys, migrates, executes and deletes with only the base URL changed."""

import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest
from tests.emulator.emulated import NODE, NODE_MODULES, TOKEN, Account

pytestmark = pytest.mark.workerd

WRANGLER = NODE_MODULES / "wrangler" / "bin" / "wrangler.js"
SOURCE = """
import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";
export class Counter extends DurableObject {}
export class Flow extends WorkflowEntrypoint { async run() {} }
export default {
  async fetch(request, env) {
    return Response.json((await env.DB.prepare("SELECT a FROM t").all()).results);
  },
};
"""


class Project:
    """A wrangler project in a folder of its own, with a home of its own."""

    def __init__(self, folder: Path, account: Account, database: str) -> None:
        self.folder = folder
        self.account = account
        config = {
            "name": "app",
            "main": "index.js",
            "compatibility_date": "2026-11-01",
            "d1_databases": [{"binding": "DB", "database_name": "db", "database_id": database}],
            "durable_objects": {"bindings": [{"name": "C", "class_name": "Counter"}]},
            "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
            "workflows": [{"name": "flow", "binding": "FLOW", "class_name": "Flow"}],
            "triggers": {"crons": ["*/5 * * * *"]},
            "vars": {"V": "1"},
        }
        (folder / "wrangler.json").write_text(json.dumps(config))
        (folder / "index.js").write_text(SOURCE)
        (folder / "migrations").mkdir()
        migration = "CREATE TABLE t (a); INSERT INTO t VALUES (1);"
        (folder / "migrations" / "0001_first.sql").write_text(migration)

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [NODE, WRANGLER, *words],
            cwd=self.folder,
            env={
                "PATH": os.defpath,
                "HOME": str(self.folder),
                "CI": "true",
                "CLOUDFLARE_API_BASE_URL": self.account.running.base_url,
                "CLOUDFLARE_API_TOKEN": TOKEN,
                "CLOUDFLARE_ACCOUNT_ID": self.account.id,
                "WRANGLER_SEND_METRICS": "false",
                # Whatever wrangler asks of the Internet goes nowhere, and must not matter.
                "HTTPS_PROXY": "http://127.0.0.1:9",
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def test_wrangler_migrates_deploys_twice_and_deletes(account: Account, tmp_path: Path) -> None:
    project = Project(tmp_path, account, account.database("db"))
    project.run("d1", "migrations", "apply", "DB", "--remote")
    assert "https://app." in project.run("deploy")
    url = account.call("GET", "/workers/scripts/app/subdomain")["url"]
    assert httpx.get(url, timeout=30).json() == [{"a": 1}]
    (tmp_path / "more.sql").write_text("INSERT INTO t VALUES (2);")
    project.run("d1", "execute", "DB", "--remote", "--file", "more.sql", "--yes")
    project.run("deploy")
    assert httpx.get(url, timeout=30).json() == [{"a": 1}, {"a": 2}]
    service = account.call("GET", "/workers/services/app")["default_environment"]
    assert service["script"]["last_deployed_from"] == "wrangler"
    assert service["script"]["migration_tag"] == "v1"
    project.run("delete", "--force")
    assert account.call("GET", "/workers/scripts") == []
    assert not [each for each in account.log() if not each["known"]]
