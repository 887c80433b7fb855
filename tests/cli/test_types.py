"""The locked `tsc` checks clients of a new project against the runtime's documented names."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.command import flowflare
from tests.support.wrangler import NODE

ROOT = Path(__file__).parents[2]
RUNTIME = "node_modules/@b-i-g-g-i-d-e-a/flowflare"
CLIENT = """\
import { createWorkflowService } from '@b-i-g-g-i-d-e-a/flowflare';
import { WorkflowClient } from '@b-i-g-g-i-d-e-a/flowflare/client';
import {
  recordStepRetry, trackStep, updateWorkflowInstance, updateWorkflowStep,
} from '@b-i-g-g-i-d-e-a/flowflare/workflow';
import { createHash } from 'crypto';
import { EventEmitter } from 'node:events';
import page from './page.html';
import schema from './schema.sql';
import key from './key.bin';
import add from './add.wasm';

export { WorkflowTracker } from '@b-i-g-g-i-d-e-a/flowflare';

interface Env {
  WORKFLOW_SERVICE: Fetcher;
  WORKFLOW_API_KEY: string;
}

export const texts: string[] = [page, schema];
export const data: [ArrayBuffer, WebAssembly.Module] = [key, add];
export const ofNode = [createHash, EventEmitter];
export const tracking = [trackStep, updateWorkflowInstance, updateWorkflowStep, recordStepRetry];
export const service = createWorkflowService({ allowedOrigins: ['https://shop.example'] });

export default {
  async fetch(_request, env) {
    const client = new WorkflowClient({
      serviceBinding: env.WORKFLOW_SERVICE,
      apiKey: env.WORKFLOW_API_KEY,
    });
    const started = await client.startWorkflow('shipping', { sku: 'tea' }, 'o-1', 'order');
    return Response.json(started.success ? started.workflowId : started.error);
  },
} satisfies ExportedHandler<Env>;
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Make a project with the packages of its package-lock.json, which are this repository's."""
    assert flowflare("init", str(tmp_path / "shop")).code == 0
    modules = tmp_path / "shop/node_modules"
    for name in ("typescript", "@typescript", "@cloudflare", "@types", "undici-types"):
        (modules / name).symlink_to(ROOT / "node_modules" / name)
    return tmp_path / "shop"


def run_tsc(folder: Path) -> str:
    tsc = folder / "node_modules/typescript/bin/tsc"
    done = subprocess.run([NODE, tsc], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout


def test_the_example_and_a_client_in_typescript_have_types(shop: Path) -> None:
    client = shop / "worker_src/shipping/index.ts"
    client.parent.mkdir()
    client.write_text(CLIENT)
    assert run_tsc(shop) == ""
    client.write_text(CLIENT.replace("apiKey: env.WORKFLOW_API_KEY", "apiKey: 7"))
    assert "Type 'number' is not assignable to type 'string'" in run_tsc(shop)


def test_types_writes_what_npm_removed_and_keeps_a_link(shop: Path) -> None:
    installed = shop / RUNTIME
    declared = (installed / "types/client.d.ts").read_bytes()
    installed.rename(shop / "elsewhere")
    assert flowflare("types", "-C", str(shop)).code == 0
    assert (installed / "types/client.d.ts").read_bytes() == declared

    installed.rename(shop / "other")
    installed.symlink_to("../../other")
    said = flowflare("types", "-C", str(shop))
    assert "kept, because it is a symbolic link" in said.out
    assert installed.is_symlink()
