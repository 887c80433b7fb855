"""What somebody installs by hand: databases through the API, Workers by wrangler or an upload."""

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


class ByHand:
    """An account without Flowflare's state, and somebody who works in it."""

    def __init__(self, project: Project, cloudflare: Cloudflare) -> None:
        self.project = project
        self._cloudflare = cloudflare
        account = f"{cloudflare.base_url}/accounts/{project.account.identity}"
        headers = {"Authorization": f"Bearer {cloudflare.token}"}
        self.http = httpx.Client(base_url=account, headers=headers, timeout=PATIENCE)

    def close(self) -> None:
        self.http.close()

    def adopt(self, *words: str, code: int = 0) -> CliResult:
        """Runs the command with the key that callers outside have."""
        key = self.project.root / "key.txt"
        key.write_text(KEY + "\n")
        return self.run("adopt", "--api-key-file", str(key), *words, code=code)

    def run(self, *words: str, code: int = 0) -> CliResult:
        said = flowflare(*words, "--cwd", str(self.project.root))
        assert said.code == code, said.out + said.err
        return said

    def changes(self) -> dict[str, list[str]]:
        """What the next `up` would change, by resource."""
        plan = self.project.stack().preview()
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

    def database(self, name: str, *files: Path) -> str:
        """A D1 database that has had files, and no ledger; returns its id."""
        uuid = str(self.call("POST", "/d1/database", json={"name": name})["uuid"])
        for file in files:
            self.sql(uuid, file.read_text())
        return uuid

    def sql(self, uuid: str, text: str) -> list[dict[str, Any]]:
        answers = self.call("POST", f"/d1/database/{uuid}/query", json={"sql": text})
        rows: list[dict[str, Any]] = answers[-1]["results"]
        return rows

    def upload(self, script: str, code: str, **metadata: Any) -> None:
        """Uploads a module as wrangler does, and switches its workers.dev on."""
        given = {"main_module": "index.js", "compatibility_date": "2026-11-01", **metadata}
        files = {
            "metadata": (None, json.dumps(given), "application/json"),
            "index.js": ("index.js", code, "application/javascript+module"),
        }
        agent = {"user-agent": "wrangler/4.0.0"}
        self.call("PUT", f"/workers/scripts/{script}", files=files, headers=agent)
        self.call("POST", f"/workers/scripts/{script}/subdomain", json={"enabled": True})

    def url(self, script: str) -> str:
        self.project.account.settle()
        return str(self.call("GET", f"/workers/scripts/{script}/subdomain")["url"])

    def rendered(self, *, database_id: str) -> dict[str, Path]:
        """What `flowflare render` writes, its ids filled in; folders by script."""
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
def by_hand(project: Project, cloudflare: Cloudflare) -> Iterator[ByHand]:
    somebody = ByHand(project, cloudflare)
    try:
        yield somebody
    finally:
        somebody.close()
