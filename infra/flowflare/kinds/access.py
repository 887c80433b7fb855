"""The embedded engine's access to an API: base URL and token, on loopback only."""

import ipaddress
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flowflare.errors import ApiError, EngineError, SecretError
from flowflare.values.properties import Props

if TYPE_CHECKING:
    from flowflare.api import Client, Connector

# The error codes for a missing database, script, route, service, environment, Workflow or custom
# domain, with any HTTP status.
_GONE: Final = frozenset({7404, 10007, 10009, 10090, 10092, 10200, 100114})


class Access:
    """The API of one account, from a provider's inputs; connects at its first use.

    Args:
        inputs: the provider's plain inputs: `baseUrl`, `apiToken`.
        environ: the environment, with CLOUDFLARE_BASE_URL and CLOUDFLARE_API_TOKEN as defaults.
        api: opens the client, by default with this process's shared connections.
    """

    def __init__(
        self, inputs: Props, environ: Mapping[str, str], *, api: "Connector | None" = None
    ) -> None:
        self._base_url = inputs.get("baseUrl") or environ.get("CLOUDFLARE_BASE_URL") or ""
        self._token = inputs.get("apiToken") or environ.get("CLOUDFLARE_API_TOKEN") or ""
        self._api = api

    @cached_property
    def client(self) -> "Client":
        """The client.

        Raises:
            EngineError: the base URL or the token is missing, or the host is not loopback.
        """
        from flowflare.api import PROCESS

        self._check()
        return (self._api or PROCESS).open(self._base_url, self._token)

    def _check(self) -> None:
        if not self._base_url:
            raise EngineError(
                "the embedded engine has no Cloudflare API to talk to",
                remedy="Set cloudflare:baseUrl in the stack's file to the embedded Cloudflare's "
                "address, such as http://127.0.0.1:8780/client/v4.",
            )
        require_loopback(self._base_url)
        if not self._token:
            raise EngineError(
                "there is no API token for the embedded Cloudflare",
                remedy="Set cloudflare:apiToken in the stack's file or CLOUDFLARE_API_TOKEN.",
            )


class ReadAccess(Access):
    """The API of an account at any address, only to read."""

    def __init__(self, base_url: str, token: str, *, api: "Connector | None" = None) -> None:
        super().__init__({"baseUrl": base_url, "apiToken": token}, {}, api=api)

    def _check(self) -> None:
        if not self._token:
            raise SecretError(
                "the account cannot be read: there is no API token",
                remedy="Set CLOUDFLARE_API_TOKEN, or: flowflare secrets set cloudflare:apiToken",
            )


def require_loopback(base_url: str) -> None:
    """Refuse an API that is not on this machine.

    Raises:
        EngineError: the URL's host is not loopback.
    """
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise EngineError(
        f"the embedded engine refuses the API at {base_url}: it is not on this machine",
        remedy="A real account is served by the Pulumi CLI: remove flowflare:engine from the "
        "stack's file. For the embedded Cloudflare set cloudflare:baseUrl to its address.",
    )


def is_gone(error: ApiError) -> bool:
    """Whether an API's error means that the resource does not exist."""
    return error.status == 404 or bool(_GONE & set(error.codes))
