"""The official SDK's client, without the program that it runs for a header and what it logs.

For `X-Stainless-OS` the SDK asks `platform.platform()`, which on Python runs `uname -p`: whatever
PATH calls `uname`, with the whole environment, its secrets included.
"""

import logging
import platform

from cloudflare import Cloudflare, __version__


def _has_no_content(record: logging.LogRecord) -> bool:
    """Whether a line of the SDK's log is without a request's content."""
    return not str(record.msg).startswith("Request options")


# With CLOUDFLARE_LOG=debug the SDK logs what is sent, and with it the secrets of a script.
logging.getLogger("cloudflare._base_client").addFilter(_has_no_content)


class QuietCloudflare(Cloudflare):
    """The SDK's client with platform headers that are known without a child process."""

    def platform_headers(self) -> dict[str, str]:
        """Return the SDK's `X-Stainless-` headers."""
        return {
            "X-Stainless-Lang": "python",
            "X-Stainless-Package-Version": __version__,
            "X-Stainless-OS": platform.system() or "Unknown",
            "X-Stainless-Arch": platform.machine() or "unknown",
            "X-Stainless-Runtime": platform.python_implementation(),
            "X-Stainless-Runtime-Version": platform.python_version(),
        }
