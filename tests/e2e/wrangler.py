"""Run the real wrangler against the embedded Cloudflare, without Internet access."""

from collections.abc import Mapping
from pathlib import Path

from tests.e2e.embedded import Account, Cloudflare
from tests.support.wrangler import call_wrangler


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
    return call_wrangler(
        folder,
        *words,
        base_url=cloudflare.base_url,
        token=cloudflare.token,
        account=account.identity,
        environ=environ,
    )
