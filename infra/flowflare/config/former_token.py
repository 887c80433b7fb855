"""Recognize the fixed token that earlier versions wrote into projects, and ignore it.

The embedded Cloudflare accepted any token then, so every user of the machine could read what was
deployed there. Now each data folder has its own token, which the embedded engine reads.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flowflare.config.files import ConfigValue

API_TOKEN: Final = "cloudflare:apiToken"  # noqa: S105 -- a key of the configuration
FORMER_TOKEN: Final = "flowflare-embedded-cloudflare-no-secret-0"  # noqa: S105 -- no secret


def find_former_token(values: "Mapping[str, ConfigValue]") -> "ConfigValue | None":
    """Return the fixed token in a stack's values; None if the stack has another token or none.

    Args:
        values: full key to value.
    """
    token = values.get(API_TOKEN)
    return token if token is not None and token.text == FORMER_TOKEN else None
