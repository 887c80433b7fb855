"""The fixed token that earlier versions wrote into projects: recognized, and left out.

The embedded Cloudflare took any token then, so that every user of the machine could read what was
deployed there. Now each data folder has a token of its own, which the embedded engine reads.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flowflare.config.files import ConfigValue

API_TOKEN: Final = "cloudflare:apiToken"  # noqa: S105 -- a key of the configuration
FORMER_TOKEN: Final = "flowflare-embedded-cloudflare-no-secret-0"  # noqa: S105 -- no secret


def find_former_token(values: "Mapping[str, ConfigValue]") -> "ConfigValue | None":
    """Return the fixed token among a stack's values, None where the stack has another or none.

    Args:
        values: full key to value. No other Cloudflare has ever taken the token.
    """
    token = values.get(API_TOKEN)
    return token if token is not None and token.text == FORMER_TOKEN else None
