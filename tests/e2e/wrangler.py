"""Run the real wrangler against the embedded Cloudflare, without Internet access."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from flowflare.render.node import ensure_node_packages
from tests.e2e.conftest import ROOT
from tests.e2e.embedded import Account, Cloudflare
from tests.support.waiting import PATIENCE


def run_wrangler(
    folder: Path,
    account: Account,
    cloudflare: Cloudflare,
    *words: str,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Run wrangler in a folder and return its output.

    Args:
        folder: the folder with wrangler's configuration.
        account: the account to use.
        cloudflare: the Cloudflare of that account.
        words: the command and its arguments.
        environ: additional environment variables.
    """
    programs = ensure_node_packages(root=ROOT)
    run = subprocess.run(
        [programs.node, ROOT / "node_modules/wrangler/bin/wrangler.js", *words],
        cwd=folder,
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "CI": "true",
            "CLOUDFLARE_API_BASE_URL": cloudflare.base_url,
            "CLOUDFLARE_API_TOKEN": cloudflare.token,
            "CLOUDFLARE_ACCOUNT_ID": account.identity,
            "WRANGLER_SEND_METRICS": "false",
            # No request of wrangler to the Internet is answered, and none is needed.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            **(environ or {}),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout
