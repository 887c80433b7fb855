"""How Cloudflare's API is reached: base URL and token, on loopback and nowhere else."""

import ipaddress
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flowflare.errors import ApiError, EngineError
from flowflare.values.properties import Props

if TYPE_CHECKING:
    from flowflare.api import Client, Connector

# What "there is no such thing" comes as, whatever the HTTP status: database, script, route,
# service, environment, workflow, custom domain.
_GONE: Final = frozenset({7404, 10007, 10009, 10090, 10092, 10200, 100114})


class Access:
    """One account's API as a provider's inputs describe it; connects when it is first used.

    Args:
        inputs: the provider's inputs, plain: `baseUrl`, `apiToken`.
        environ: where they are not given, CLOUDFLARE_BASE_URL and CLOUDFLARE_API_TOKEN.
        api: opens the client, by default with what this process shares.
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
            EngineError: no base URL or token, or a host that is not this machine.
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


def require_loopback(base_url: str) -> None:
    """Refuses an API that is not on this machine.

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
    """Whether an API's refusal means that the thing is not there."""
    return error.status == 404 or bool(_GONE & set(error.codes))
