"""A client's static assets: uploaded, changed, kept by other changes, drifted, repaired."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e"), pytest.mark.long]

SCRIPT = "local-flowflare-shop"
SOURCE = """
import { DurableObject } from "cloudflare:workers";
export class Cart extends DurableObject {}
export default {
  fetch: (request, env) =>
    request.url.endsWith("/about") ? env.ASSETS.fetch(request) : new Response("worker"),
};
"""
SHOP: dict[str, Any] = {
    "source": "worker_src/shop.js",
    "assets": {"directory": "public", "binding": "ASSETS", "runWorkerFirst": ["/about"]},
    "bindings": {"TOMORROW": {"type": "thing_of_tomorrow"}},
    "durableObjects": {"CARTS": {"className": "Cart"}},
    "classMigrations": [{"tag": "v1", "newSqliteClasses": ["Cart"]}],
}


def write_shop(root: Path) -> Path:
    """Write a client's code and static assets; return the folder of the assets."""
    (root / "worker_src/shop.js").write_text(SOURCE)
    folder = root / "public"
    folder.mkdir()
    (folder / "index.html").write_text("home")
    (folder / "about.html").write_text("about")
    return folder


@pytest.fixture
def public(project: Project) -> Path:
    folder = write_shop(project.root)
    project.configure(f"flowflare:clients: {json.dumps({'shop': SHOP})}")
    return folder


def change_shop(project: Project, **changed: Any) -> None:
    before = json.dumps({"shop": SHOP})
    project.edit("Pulumi.local.yaml", before, json.dumps({"shop": SHOP | changed}))


def upload_without_assets(project: Project, cloudflare: Cloudflare, source: str) -> None:
    """Upload the script like another tool: with its bindings, and without its files."""
    bound = project.account.get(f"/workers/scripts/{SCRIPT}/settings")["bindings"]
    metadata = {
        "main_module": "worker.js",
        "compatibility_date": "2026-11-01",
        "bindings": [{"type": "inherit", "name": binding["name"]} for binding in bound],
    }
    httpx.put(
        f"{cloudflare.base_url}/accounts/{project.account.identity}/workers/scripts/{SCRIPT}",
        headers={"Authorization": f"Bearer {cloudflare.token}"},
        files=[
            ("worker.js", ("worker.js", source, "application/javascript+module")),
            ("metadata", (None, json.dumps(metadata), "application/json")),
        ],
        timeout=PATIENCE,
    ).raise_for_status()


def test_static_assets_from_their_upload_to_their_repair(
    project: Project, cloudflare: Cloudflare, public: Path
) -> None:
    url = project.open_stack().up().outputs["client_urls"]["shop"]

    def say(path: str) -> str:
        project.account.settle()
        return httpx.get(f"{url}{path}", timeout=PATIENCE).text

    assert [say(path) for path in ("/", "/about", "/else")] == ["home", "about", "worker"]
    assert project.open_stack().up().changed == 0

    (public / "index.html").write_text("changed")
    (public / "about.html").rename(public / "new.html")
    preview = project.flowflare("preview").stdout
    for line in ("New files: /new.html.", "Changed files: /index.html.", "Removed files: /about."):
        assert line in preview
    last = project.account.find_last_request()
    names = [step.name for step in project.open_stack().up().steps if step.op != "same"]
    assert names == ["flowflare-shop-assets"]
    uploads = [path for path in project.account.list_writes(since=last) if "upload" in path]
    assert len(uploads) == 2  # the session, and one file: the other one is known by its content
    assert [say(path) for path in ("/", "/new")] == ["changed", "about"]

    # Other changes of the script keep the files.
    step = {"tag": "v2", "newSqliteClasses": ["Basket"]}
    source = SOURCE + "export class Basket extends DurableObject {}\n"
    (project.root / "worker_src/shop.js").write_text(source)
    change_shop(
        project,
        classMigrations=[*SHOP["classMigrations"], step],
        assets=SHOP["assets"] | {"notFoundHandling": "single-page-application"},
        bindings={"TOMORROW": {"type": "thing_of_the_day_after"}},
    )
    project.open_stack().up()
    answer = httpx.get(f"{url}/x", headers={"Sec-Fetch-Mode": "navigate"}, timeout=PATIENCE)
    assert answer.text == "changed"

    upload_without_assets(project, cloudflare, source)
    drift = project.flowflare("drift")
    assert f"the static assets of script {SCRIPT} are not in the account" in drift.stdout
    project.open_stack().refresh()
    project.open_stack().up()
    assert say("/new") == "about"
