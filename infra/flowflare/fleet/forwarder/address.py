"""Build and read the URLs that lead through the forwarder.

`http://127.0.0.1:PORT/TOKEN/STACK/UPSTREAM/client/v4` forwards to the API at UPSTREAM, and counts
the calls for STACK. The URL contains everything, so the forwarder needs no registration.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

#: Cloudflare's own API.
CLOUDFLARE: Final = "https://api.cloudflare.com/client/v4"
_API: Final = "/client/v4"
_CLOUDFLARE_ID: Final = "cloudflare"


@dataclass(frozen=True)
class CallRoute:
    """The parts of a call's path.

    Attributes:
        upstream: the base URL of the API.
        target: the path and query to send, byte for byte as they were received.
        path: the path below the API's base URL, for messages.
    """

    stack: str
    upstream: str
    target: bytes
    path: str


def make_url(address: str, stack: str, upstream: str = CLOUDFLARE) -> str:
    """Return the base URL with which a program calls an API through the forwarder.

    Args:
        address: the forwarder's address with its token: `Forwarder.address`.
        upstream: the API's own base URL, including `/client/v4`.
    """
    upstream = upstream.rstrip("/")
    known = _CLOUDFLARE_ID if upstream == CLOUDFLARE else _encode(upstream)
    return f"{address}/{quote(stack, safe='')}/{known}{_API}"


def make_environ(
    address: str, stack: str, environ: Mapping[str, str], upstream: str | None = None
) -> dict[str, str]:
    """Make environment variables with which Pulumi's plugins, SDKs and wrangler use the forwarder.

    Args:
        address: the forwarder's address with its token.
        upstream: the API's base URL; by default CLOUDFLARE_BASE_URL, or Cloudflare's API.
    """
    wanted = upstream or environ.get("CLOUDFLARE_BASE_URL") or CLOUDFLARE
    url = make_url(address, stack, wanted)
    changed = {**environ, "CLOUDFLARE_BASE_URL": url, "CLOUDFLARE_API_BASE_URL": url}
    # Programs call the forwarder directly; the forwarder itself uses the environment's proxy.
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in environ.get(name, "").split(",") if host]
        changed[name] = ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))
    return changed


def read_route(token: str, raw_path: bytes, query: bytes) -> CallRoute | None:
    """Read a call's path; None if it is malformed or does not contain the run's token.

    Args:
        raw_path: the path as it was received.
        query: the query without its `?`.
    """
    _, _, rest = raw_path.partition(b"/")
    given, _, rest = rest.partition(b"/")
    if not hmac.compare_digest(given, token.encode()):
        return None
    stack, _, rest = rest.partition(b"/")
    known, _, rest = rest.partition(b"/")
    upstream = _decode(known)
    path = b"/" + rest
    inside = path.removeprefix(_API.encode())
    is_below = inside != path and inside[:1] in (b"", b"/")
    if upstream is None or not stack or not is_below:
        return None
    target = urlsplit(upstream).path.encode() + inside + (b"?" + query if query else b"")
    name = unquote(stack.decode("ascii", "replace"))
    return CallRoute(name, upstream, target, inside.decode("ascii", "replace"))


def _encode(upstream: str) -> str:
    return base64.urlsafe_b64encode(upstream.encode()).decode().rstrip("=")


def _decode(known: bytes) -> str | None:
    if known == _CLOUDFLARE_ID.encode():
        return CLOUDFLARE
    try:
        upstream = base64.urlsafe_b64decode(known + b"=" * (-len(known) % 4)).decode()
        parts = urlsplit(upstream)
        _ = parts.port
    except (binascii.Error, ValueError):
        return None
    return upstream if parts.scheme in ("http", "https") and parts.hostname else None
