"""Imports that wrangler bundles run in workerd as we bundle them: Node's modules, texts, data."""

import json
from pathlib import Path

import pytest

from flowflare.render.bundle import BundleSource, bundle_sources
from flowflare.render.compatibility import read_node_compat
from tests.emulator.emulated import Account, get
from tests.emulator.test_wrangler import run_wrangler

pytestmark = pytest.mark.workerd

WORKER = """
import { createHash } from "crypto";
import { basename } from "node:path";
import { platform } from "os";
import { sign } from "legacy";
import page from "./page.html";
import schema from "./schema.sql";
import key from "./key.bin";

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
    account.put("ours", bundle.content, compatibility_date=date, compatibility_flags=flags)
    theirs = {"name": "theirs", "main": "src/index.js", "workers_dev": True}
    compatibility = {"compatibility_date": date, "compatibility_flags": flags}
    (tmp_path / "wrangler.json").write_text(json.dumps(theirs | compatibility))
    run_wrangler(tmp_path, account, "deploy")

    answers = [get(account.enable(name)).json() for name in ("ours", "theirs")]
    assert answers[0] == answers[1]
    assert answers[0]["key"] == list(BYTES)
    assert answers[0]["signed"][1] is True
