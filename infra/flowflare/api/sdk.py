"""The official SDK's client without its child process and its log of request bodies.

For `X-Stainless-OS` the SDK calls `platform.platform()`, which runs `uname -p`: whatever program
PATH has under that name, with the whole environment, secrets included.
"""

import logging
import platform

from cloudflare import Cloudflare, __version__


def _has_no_content(record: logging.LogRecord) -> bool:
    """Whether a record of the SDK's log does not contain a request's content."""
    return not str(record.msg).startswith("Request options")


# With CLOUDFLARE_LOG=debug the SDK logs request bodies, which contain a script's secrets.
logging.getLogger("cloudflare._base_client").addFilter(_has_no_content)


class QuietCloudflare(Cloudflare):
    """The SDK's client with platform headers that need no child process."""

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
