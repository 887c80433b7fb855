"""The official SDK's client, without the program that it would run for a header.

For `X-Stainless-OS` the SDK asks `platform.platform()`, which on Python runs `uname -p`: whatever
PATH calls `uname`, with the whole environment, its secrets included.
"""

import platform

from cloudflare import Cloudflare, __version__


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
