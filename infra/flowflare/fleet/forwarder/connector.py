"""Leads this package's own clients to the forwarder, whatever address the configuration names.

Addresses stand in states, as inputs of providers; so the state keeps the API's own address, and
the client alone is opened at the forwarder's.
"""

import ssl
from collections.abc import Mapping
from typing import Final

import httpx

from flowflare.api import Client, Connector, Pace
from flowflare.api.budget import Budget
from flowflare.fleet.forwarder.address import routed

#: Seconds: longer than the longest wait for the budget, so that the forwarder need never refuse.
_TIMEOUT: Final = 330.0


class ForwardedConnector(Connector):
    """Opens clients whose calls go through the forwarder as one stack's.

    Args:
        address: the forwarder's, with its token: `Forwarder.address`.
        stack: whose calls they are.
        pace: their clock, time-out and retries.
    """

    def __init__(self, address: str, stack: str, pace: Pace | None = None) -> None:
        super().__init__(pace or Pace(timeout=_TIMEOUT), transport=_transport, budget=_Uncounted)
        self._address = address
        self._stack = stack

    def open(self, base_url: str, token: str, *, pace: Pace | None = None) -> Client:
        """The client for the API at a base URL, through the forwarder."""
        return super().open(routed(self._address, self._stack, base_url), token, pace=pace)


class _Uncounted(Budget):
    """A budget that lets everything go: the forwarder has the account's."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(pace.clock, pace.sleep)

    def begin(self) -> None:
        """Waits for nothing."""

    def end(self, headers: Mapping[str, str] | None = None) -> None:
        """Takes nothing from an answer."""

    def pause(self, seconds: float) -> None:
        """Holds nobody back."""


def _transport() -> httpx.BaseTransport:
    # Straight to loopback: no proxy of the environment's. It speaks no TLS and reads no
    # certificates.
    return httpx.HTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
