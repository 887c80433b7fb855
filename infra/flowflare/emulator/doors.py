"""Refuse requests for other hosts, from foreign web pages, or without a valid token.

Any web page can make a browser send requests to loopback. Each request is therefore checked by its
`Host` (against DNS rebinding), `Origin` and `Sec-Fetch-Site`. A page that a Worker serves on this
port has another host, `*.localhost`, and counts as foreign too.
"""

import hmac
import re
import secrets
from collections.abc import Mapping

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from flowflare.emulator import codes
from flowflare.emulator.envelope import Refusal, failure
from flowflare.emulator.requests import API, CONTROL
from flowflare.emulator.unread import EarlyAnswer

_OWN = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", re.I)
_LOOPBACK = re.compile(rf"{_OWN.pattern}|[\w.-]+\.localhost(:\d+)?", re.I)
_BEARER = re.compile(r"Bearer ([\w-]{40,80})")
_KEY = re.compile(r"[0-9a-f]{37,80}")
_SITES = ("same-origin", "none")
_JSON = "application/json"
# Health is requested before a client has the token. The files have random names that cannot be
# guessed.
_WITHOUT_TOKEN = re.compile(rf"{CONTROL}/(health|(uploads|exports)/[^/]+)")
_FILES = f"{CONTROL}/uploads/"


class Tokens:
    """Hold the tokens that the API accepts: the data folder's and those created through control."""

    def __init__(self, own: str) -> None:
        self._known = [own]

    def add(self) -> str:
        """Create another token, which is valid until the emulator stops."""
        self._known.append(secrets.token_hex(20))
        return self._known[-1]

    def refusal(self, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a call is refused; None if it has a valid token, or one as key with email."""
        authorization = headers.get("authorization", "")
        key, email = headers.get("x-auth-key", ""), headers.get("x-auth-email", "")
        if authorization.startswith("Bearer"):
            bearer = _BEARER.fullmatch(authorization)
            if bearer is None:
                return codes.malformed_token()
            return None if self._knows(bearer[1]) else codes.authentication()
        if not key or not email:
            return codes.no_credentials()
        if not _KEY.fullmatch(key):
            return codes.malformed_key()
        return None if self._knows(key) else codes.authentication()

    def _knows(self, given: str) -> bool:
        return any(hmac.compare_digest(given.encode(), token.encode()) for token in self._known)


class Doors:
    """Refuse requests for other hosts, from foreign pages, and control calls without a token.

    Args:
        app: the application that answers all other requests.
        tokens: the tokens that the control API accepts.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 or 415, or pass the request on to the application."""
        app = self._app
        if scope["type"] == "http":
            app = self._refusal(scope, headers_of(scope)) or app
        await app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> ASGIApp | None:
        path, host = scope["path"], headers.get("host", "")
        control = path.startswith(f"{CONTROL}/")
        own = _OWN if control or path.startswith(API) else _LOOPBACK
        if not own.fullmatch(host):
            return EarlyAnswer(PlainTextResponse("The Host header must name this machine.\n", 403))
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin not in (None, f"http://{host}") or site not in (None, *_SITES):
            return EarlyAnswer(
                PlainTextResponse("Web pages of another origin must not call this address.\n", 403)
            )
        if not control:
            return None
        refused = None if _WITHOUT_TOKEN.fullmatch(path) else self._tokens.refusal(headers)
        if refused is not None:
            return EarlyAnswer(failure(refused))
        kind = headers.get("content-type", _JSON if not _has_body(headers) else "")
        if kind.partition(";")[0].strip() != _JSON and not path.startswith(_FILES):
            return EarlyAnswer(failure(codes.content_type(f"Content-Type must be '{_JSON}'.")))
        return None


def headers_of(scope: Scope) -> dict[str, str]:
    """Return a request's headers by their lower-case names."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _has_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
