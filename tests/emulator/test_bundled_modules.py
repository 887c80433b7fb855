"""Imports that wrangler bundles run in workerd as we bundle them: Node's modules, texts, data."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from flowflare.render.bundle import BundleSource, bundle_sources
from flowflare.render.cache import Bundle
from flowflare.render.compatibility import read_node_compat
from tests.emulator.emulated import Account, get, upload
from tests.emulator.test_wrangler import run_wrangler
from tests.support.waiting import wait_until
from tests.support.webassembly import ADD

pytestmark = pytest.mark.workerd

WORKER = """
import { createHash } from "crypto";
import { basename } from "node:path";
import { platform } from "os";
import { sign } from "legacy";
import page from "./page.html";
import schema from "./schema.sql";
import key from "./key.bin";
import add from "./add.wasm";

export default {
  fetch: () => Response.json({
    digest: createHash("sha256").update("x").digest("hex"),
    name: basename("/a/b.txt"),
    platform: typeof platform(),
    signed: sign("x"),
    page,
    schema,
    key: key instanceof ArrayBuffer && [...new Uint8Array(key)],
    process: typeof process.env,
    sum: new WebAssembly.Instance(add).exports.add(2, 3),
  }),
};
"""
# A CommonJS package requires Node's modules without their prefix.
LEGACY = """
const { createHmac } = require("crypto");
const { inherits } = require("util");
const { EventEmitter } = require("events");
function Signer() {}
inherits(Signer, EventEmitter);
exports.sign = (text) =>
  [createHmac("sha256", "key").update(text).digest("hex"), new Signer() instanceof EventEmitter];
"""
BYTES = bytes([0, 1, 128, 255])
THROWING = """
export interface Order { id: string }

const refuse = (order: Order): never => {
  throw new Error(`refused ${order.id}`);
};
export default {
  fetch(request: Request): Response {
    const id = new URL(request.url).pathname;
    if (id === "/caught") try { refuse({ id }); } catch (error) { console.error(error); }
    else refuse({ id });
    return new Response();
  },
};
"""


def write_project(folder: Path) -> None:
    for name, text in {
        "src/index.js": WORKER,
        "src/page.html": "<h1>`page` ${1}</h1>\n",
        "src/schema.sql": "SELECT 'é';\n",
        "node_modules/legacy/package.json": '{"name": "legacy", "main": "main.js"}',
        "node_modules/legacy/main.js": LEGACY,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (folder / "src/key.bin").write_bytes(BYTES)
    (folder / "src/add.wasm").write_bytes(ADD)


@pytest.mark.parametrize(
    ("date", "flags"),
    [
        ("2026-11-01", []),
        pytest.param("2025-01-01", ["nodejs_compat"], marks=pytest.mark.long),
    ],
)
def test_a_worker_answers_as_it_does_after_wrangler_deployed_it(
    account: Account, tmp_path: Path, date: str, flags: list[str]
) -> None:
    write_project(tmp_path)
    source = BundleSource("src/index.js", tmp_path, node_compat=read_node_compat(date, flags))
    [bundle] = bundle_sources([source], root=tmp_path)
    put_bundle(account, "ours", bundle, compatibility_date=date, compatibility_flags=flags)
    theirs = {"name": "theirs", "main": "src/index.js", "workers_dev": True}
    compatibility = {"compatibility_date": date, "compatibility_flags": flags}
    (tmp_path / "wrangler.json").write_text(json.dumps(theirs | compatibility))
    run_wrangler(tmp_path, account, "deploy")

    answers = [get(account.enable(name)).json() for name in ("ours", "theirs")]
    assert answers[0] == answers[1]
    assert answers[0]["key"] == list(BYTES)
    assert answers[0]["signed"][1] is True
    assert answers[0]["sum"] == 5
    # wrangler uploads texts as modules; here they are part of the main module.
    uploaded = [name.removeprefix("./") for name in account.modules_of("theirs")]
    assert account.modules_of("ours")[1:] == sorted(
        name for name in uploaded if name.endswith((".bin", ".wasm"))
    )


@pytest.mark.parametrize("by", ["ours", pytest.param("wrangler", marks=pytest.mark.long)])
def test_the_log_names_lines_of_the_source_if_a_source_map_is_uploaded(
    account: Account, tmp_path: Path, by: str
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/index.ts").write_text(THROWING)
    if by == "ours":
        source = BundleSource("src/index.ts", tmp_path, has_source_map=True)
        [bundle] = bundle_sources([source], root=tmp_path)
        put_bundle(account, "app", bundle)
    else:
        config = {"name": "app", "main": "src/index.ts", "workers_dev": True}
        config |= {"compatibility_date": "2026-11-01", "upload_source_maps": True}
        (tmp_path / "wrangler.json").write_text(json.dumps(config))
        run_wrangler(tmp_path, account, "deploy")

    url = account.enable("app")
    for name, line in {"caught": 10, account.id: 11}.items():
        get(f"{url}/{name}")
        refused = f"Error: refused /{name}\n    at refuse (src/index.ts:5:9)\n"
        log = wait_until(lambda: read_log(account), lambda log, refused=refused: refused in log)
        assert log.rpartition(refused)[2].startswith(f"    at Object.fetch (src/index.ts:{line}:")
    assert [name.removeprefix("./") for name in account.modules_of("app")] == [
        "worker.js" if by == "ours" else "index.js"
    ]


def put_bundle(account: Account, name: str, bundle: Bundle, **metadata: Any) -> None:
    """Upload a bundle as Cloudflare's provider does: the main module first, the metadata last."""
    main, described = upload(bundle.content, **metadata)
    modules = [
        (module.name, (module.name, b64decode(module.base64), module.content_type))
        for module in bundle.modules
    ]
    if bundle.source_map:
        kind = "application/source-map"
        modules.append(("worker.js.map", ("worker.js.map", bundle.source_map.encode(), kind)))
    files = [main, *modules, described]
    account.call("PUT", f"/workers/scripts/{name}", files=files)


def read_log(account: Account) -> str:
    return (account.running.data / "emulator.log").read_text("utf-8")
