"""Install Workers and databases as people do without Flowflare: by API, wrangler or an upload."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.wrangler import run_wrangler
from tests.support.waiting import PATIENCE

KEY = "a-key-that-callers-outside-have-0123456789"


class ManualAccount:
    """An account without a Flowflare state, with what a person does in it."""

    def __init__(self, project: Project, cloudflare: Cloudflare) -> None:
        self.project = project
        self._cloudflare = cloudflare
        account = f"{cloudflare.base_url}/accounts/{project.account.identity}"
        headers = {"Authorization": f"Bearer {cloudflare.token}"}
        self.http = httpx.Client(base_url=account, headers=headers, timeout=PATIENCE)

    def close(self) -> None:
        self.http.close()

    def adopt(self, *words: str, code: int = 0) -> CliResult:
        """Run `flowflare adopt` with the API key that callers outside the stack have."""
        key = self.project.root / "key.txt"
        key.write_text(KEY + "\n")
        return self.run("adopt", "--api-key-file", str(key), *words, code=code)

    def run(self, *words: str, code: int = 0) -> CliResult:
        result = flowflare(*words, "--cwd", str(self.project.root))
        assert result.code == code, result.out + result.err
        return result

    def plan_changes(self) -> dict[str, list[str]]:
        """Return what the next `up` would change, by resource."""
        plan = self.project.open_stack().preview()
        assert not plan.failures
        return {
            step.name: sorted(change.path for change in step.changes)
            for step in plan.steps
            if step.custom and step.op != "same"
        }

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        answer = self.http.request(method, path, **arguments)
        assert answer.is_success, answer.text
        return answer.json()["result"]

    def create_database(self, name: str, *files: Path) -> str:
        """Create a D1 database, run the files on it and return its ID; it records no migrations."""
        uuid = str(self.call("POST", "/d1/database", json={"name": name})["uuid"])
        for file in files:
            self.run_sql(uuid, file.read_text())
        return uuid

    def run_sql(self, uuid: str, text: str) -> list[dict[str, Any]]:
        answers = self.call("POST", f"/d1/database/{uuid}/query", json={"sql": text})
        rows: list[dict[str, Any]] = answers[-1]["results"]
        return rows

    def upload(self, script: str, code: str, **metadata: Any) -> None:
        """Upload a module as wrangler does, and enable its workers.dev URL."""
        all_metadata = {"main_module": "index.js", "compatibility_date": "2026-11-01", **metadata}
        files = {
            "metadata": (None, json.dumps(all_metadata), "application/json"),
            "index.js": ("index.js", code, "application/javascript+module"),
        }
        agent = {"user-agent": "wrangler/4.0.0"}
        self.call("PUT", f"/workers/scripts/{script}", files=files, headers=agent)
        self.call("POST", f"/workers/scripts/{script}/subdomain", json={"enabled": True})

    def read_url(self, script: str) -> str:
        self.project.account.settle()
        return str(self.call("GET", f"/workers/scripts/{script}/subdomain")["url"])

    def render(self, *, database_id: str) -> dict[str, Path]:
        """Run `flowflare render`, fill in the IDs and return the folders by script."""
        out = self.project.root / "build"
        self.run("render", "--out", str(out))
        for file in out.glob("*/wrangler.jsonc"):
            text = file.read_text().replace("<database_id of the stack's outputs>", database_id)
            file.write_text(text)
        return {folder.name: folder for folder in out.iterdir()}

    def wrangler(self, folder: Path, *words: str, secrets: Mapping[str, str] | None = None) -> str:
        if secrets:
            (folder / "secrets.json").write_text(json.dumps(secrets))
            words = (*words, "--secrets-file", "secrets.json")
        return run_wrangler(folder, self.project.account, self._cloudflare, *words)


@contextmanager
def open_manual_account(project: Project, cloudflare: Cloudflare) -> Iterator[ManualAccount]:
    manual = ManualAccount(project, cloudflare)
    try:
        yield manual
    finally:
        manual.close()
