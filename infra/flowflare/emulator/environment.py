"""Select the variables of the emulator's own processes, and list those of its clients.

The emulator's processes run for days, and must not keep the secrets of the shell that started them.
"""

import re
from collections.abc import Mapping
from typing import Final

# Tests measure coverage through COV*.
_NEEDED: Final = re.compile(
    r"PATH|HOME|TMPDIR|TZ|LANG|LC_\w+|VIRTUAL_ENV|(PYTHON|LD_|SSL_CERT_|COV)\w*|NODE_EXTRA_CA_CERTS"
)


def needed_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Select the variables that the emulator, Node and workerd need."""
    return {name: value for name, value in environ.items() if _NEEDED.fullmatch(name)}


def make_variables(base_url: str, token: str, account: str | None) -> dict[str, str]:
    """List the variables with which unmodified clients use an emulator.

    Args:
        account: the account that wrangler uses; the others get it from their configuration.
    """
    return {
        # The SDKs' name, which the providers of Terraform and Pulumi read too.
        "CLOUDFLARE_BASE_URL": base_url,
        # wrangler's name for the same URL.
        "CLOUDFLARE_API_BASE_URL": base_url,
        "CLOUDFLARE_API_TOKEN": token,
        "CLOUDFLARE_ACCOUNT_ID": account or "",
    }
