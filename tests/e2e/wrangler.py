"""The real wrangler against the embedded Cloudflare, without the Internet."""

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
    """Runs it in a folder; returns what it prints.

    Args:
        folder: where its configuration is.
        account: the account that it works in.
        cloudflare: where that account is.
        words: the command's words.
        environ: what its environment has besides.
    """
    programs = ensure_node_packages(root=ROOT)
    done = subprocess.run(
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
            # Whatever wrangler asks of the Internet goes nowhere, and must not matter.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            **(environ or {}),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
