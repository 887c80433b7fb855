"""Make this package's own clients use the forwarder, for any API address in the configuration.

State stores the API's address as an input of the provider. State therefore keeps the API's own
address, and only the client is opened at the forwarder's.
"""

import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import httpx

from flowflare.api import Client, Connector, Pace
from flowflare.api.budget import Budget
from flowflare.fleet.forwarder.address import make_url

#: Seconds, longer than the longest wait for the budget, so that the forwarder never has to refuse.
_TIMEOUT: Final = 330.0


class ForwardedConnector(Connector):
    """Open clients whose calls go through the forwarder and count for one stack.

    Args:
        address: the forwarder's address with its token: `Forwarder.address`.
        pace: the clients' clock and retries; their timeout is longer than any wait.
    """

    def __init__(self, address: str, stack: str, pace: Pace | None = None) -> None:
        pace = replace(pace or Pace(), timeout=_TIMEOUT)
        super().__init__(pace, transport=_transport, budget=_Uncounted)
        self._address = address
        self._stack = stack

    def open(self, base_url: str, token: str, *, pace: Pace | None = None) -> Client:
        """Open a client for the API at a base URL, through the forwarder."""
        return super().open(make_url(self._address, self._stack, base_url), token, pace=pace)


class _Uncounted(Budget):
    """A budget without a limit, because the forwarder enforces the account's limit."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(pace.clock, pace.sleep)

    def begin(self) -> None:
        """Do not wait."""

    def end(self, headers: Mapping[str, str] | None = None) -> None:
        """Ignore the response's headers."""

    def pause(self, seconds: float) -> None:
        """Do not pause."""


def _transport() -> httpx.BaseTransport:
    # The forwarder is on loopback, so the environment's proxy is not used. It does not speak TLS,
    # so no certificates are loaded.
    return httpx.HTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
