"""Where a call is sent so that it goes through the forwarder, and what such an address means.

`http://127.0.0.1:PORT/TOKEN/STACK/UPSTREAM/client/v4` stands for the API at UPSTREAM, and calls
sent there count as STACK's. Nothing is registered: an address says all of it.
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
class Route:
    """What the path of a call says.

    Attributes:
        stack: whose call it is.
        upstream: the base URL of the API that it is for.
        target: path and query to send there, byte for byte as they came.
        path: the path below the API's base, for messages.
    """

    stack: str
    upstream: str
    target: bytes
    path: str


def routed(address: str, stack: str, upstream: str = CLOUDFLARE) -> str:
    """The base URL to give a program that calls an API.

    Args:
        address: the forwarder's, with its token: `Forwarder.address`.
        stack: whose calls they are.
        upstream: the base URL that it would have otherwise, up to and with `/client/v4`.
    """
    upstream = upstream.rstrip("/")
    known = _CLOUDFLARE_ID if upstream == CLOUDFLARE else _encoded(upstream)
    return f"{address}/{quote(stack, safe='')}/{known}{_API}"


def environment(
    address: str, stack: str, environ: Mapping[str, str], upstream: str | None = None
) -> dict[str, str]:
    """An environment in which Pulumi's plugins, the official SDKs and wrangler use the forwarder.

    Args:
        address: the forwarder's, with its token.
        stack: whose calls they are.
        environ: the environment without it, whose CLOUDFLARE_BASE_URL names another API.
        upstream: the API's base URL; by default that of the environment, else Cloudflare's own.
    """
    wanted = upstream or environ.get("CLOUDFLARE_BASE_URL") or CLOUDFLARE
    url = routed(address, stack, wanted)
    changed = {**environ, "CLOUDFLARE_BASE_URL": url, "CLOUDFLARE_API_BASE_URL": url}
    # A proxy that the environment names is for the Internet, and used by the forwarder itself.
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in environ.get(name, "").split(",") if host]
        changed[name] = ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))
    return changed


def read_route(token: str, raw_path: bytes, query: bytes) -> Route | None:
    """What a call's path means; None where it does not carry the run's token or is no such path.

    Args:
        token: the run's.
        raw_path: the path as it was sent.
        query: the query without its `?`.
    """
    _, _, rest = raw_path.partition(b"/")
    given, _, rest = rest.partition(b"/")
    if not hmac.compare_digest(given, token.encode()):
        return None
    stack, _, rest = rest.partition(b"/")
    known, _, rest = rest.partition(b"/")
    upstream = _decoded(known)
    path = b"/" + rest
    inside = path.removeprefix(_API.encode())
    is_below = inside != path and inside[:1] in (b"", b"/")
    if upstream is None or not stack or not is_below:
        return None
    target = urlsplit(upstream).path.encode() + inside + (b"?" + query if query else b"")
    name = unquote(stack.decode("ascii", "replace"))
    return Route(name, upstream, target, inside.decode("ascii", "replace"))


def _encoded(upstream: str) -> str:
    return base64.urlsafe_b64encode(upstream.encode()).decode().rstrip("=")


def _decoded(known: bytes) -> str | None:
    if known == _CLOUDFLARE_ID.encode():
        return CLOUDFLARE
    try:
        upstream = base64.urlsafe_b64decode(known + b"=" * (-len(known) % 4)).decode()
        parts = urlsplit(upstream)
        _ = parts.port
    except (binascii.Error, ValueError):
        return None
    return upstream if parts.scheme in ("http", "https") and parts.hostname else None
