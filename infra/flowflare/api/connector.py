"""Open clients that share a clock, retries, and the budget of each token."""

import math
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flowflare.api.budget import CALLS, Budget, OnWait
from flowflare.api.client import Client
from flowflare.api.headers import check_secret
from flowflare.api.retries import Pace, Retries

if TYPE_CHECKING:
    import ssl

    import httpx


class Connector:
    """Opens clients of Cloudflare's API. Clients of one token share a connection and a budget.

    Args:
        pace: the clients' clock, timeout and retries.
        transport: creates a client's transport, by default one that uses the network.
        budget: creates the budget of a token, by default with Cloudflare's limit.
        on_wait: receives the seconds of a wait for a budget, outside blocks of `telling`.
    """

    def __init__(
        self,
        pace: Pace | None = None,
        *,
        transport: "Callable[[], httpx.BaseTransport] | None" = None,
        budget: Callable[[Pace], Budget] | None = None,
        on_wait: OnWait | None = None,
    ) -> None:
        self.pace = pace or Pace()
        self._transport = transport
        self._make_budget = budget or self._new_budget
        self._listeners = [] if on_wait is None else [on_wait]
        self._lock = threading.Lock()
        self._budgets: dict[tuple[str, str], Budget] = {}
        # A client is closed when its last reference is dropped; its budget stays.
        self._clients: weakref.WeakValueDictionary[tuple[str, str], Client] = (
            weakref.WeakValueDictionary()
        )

    def open(self, base_url: str, token: str, *, pace: Pace | None = None) -> Client:
        """Open the client for the API at a base URL.

        Args:
            base_url: the URL, including `/client/v4`.
            token: an API token, sent as a bearer token and never logged.
            pace: another timeout and other retries than the connector's. They give a separate
                client with the same budget.

        Raises:
            SecretError: the token cannot be sent in a header.
        """
        check_secret(token, "the API token for Cloudflare")
        key = (base_url.rstrip("/"), token)
        with self._lock:
            if pace is not None:
                return self._new_client(base_url, token, self._budget(key), pace)
            client = self._clients.get(key)
            if client is None:
                client = self._new_client(base_url, token, self._budget(key), self.pace)
                self._clients[key] = client
            return client

    @contextmanager
    def telling(self, on_wait: OnWait) -> Iterator[None]:
        """Report long waits for a budget inside the block.

        Args:
            on_wait: receives the seconds, in the thread that waits.
        """
        self._listeners.append(on_wait)
        try:
            yield
        finally:
            self._listeners.remove(on_wait)

    def _tell(self, seconds: float) -> None:
        for listener in self._listeners[-1:]:
            listener(seconds)

    def _budget(self, key: tuple[str, str]) -> Budget:
        if key not in self._budgets:
            self._budgets[key] = self._make_budget(self.pace)
        return self._budgets[key]

    def _new_budget(self, pace: Pace) -> Budget:
        return Budget(pace.clock, pace.sleep, calls=pace.calls, on_wait=self._tell)

    def _new_client(self, base_url: str, token: str, budget: Budget, pace: Pace) -> Client:
        import httpx
        from cloudflare import DefaultHttpxClient

        from flowflare.api.sdk import QuietCloudflare

        if self._transport:
            http = httpx.Client(transport=self._transport())
        else:
            http = DefaultHttpxClient(verify=_verification(base_url))
        sdk = QuietCloudflare(
            base_url=base_url,
            api_token=token,
            max_retries=0,
            timeout=pace.timeout,
            http_client=http,
        )
        client = Client(sdk, budget, pace)
        weakref.finalize(client, sdk.close)
        return client


def _verification(base_url: str) -> "ssl.SSLContext | bool":
    """Return how to verify certificates. An `http://` URL needs none, so none is trusted.

    Reading the trusted certificates costs 20 ms of CPU per client.
    """
    if not base_url.startswith("http://"):
        return True
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def describe_wait(seconds: float) -> str:
    """Describe a wait for the budget to the user."""
    return (
        f"waiting {math.ceil(seconds)} s: the account's calls are used up (Cloudflare allows "
        f"{CALLS:,} in 5 minutes)"
    )


#: The default connector of this process. A plugin of the Pulumi CLI can report a wait only on its
#: standard error.
PROCESS = Connector(on_wait=lambda seconds: print(describe_wait(seconds), file=sys.stderr))  # noqa: T201


def connect(base_url: str, token: str, *, max_retries: int = 4, timeout: float = 60.0) -> Client:
    """Open a client that shares this process's budget.

    Args:
        base_url: the URL, including `/client/v4`.
        token: an API token, sent as a bearer token and never logged.
        max_retries: how often a call is retried at most.
        timeout: seconds until a call without a response counts as lost.
    """
    pace = Pace(timeout=timeout, retries=Retries(attempts=max_retries + 1))
    return PROCESS.open(base_url, token, pace=None if pace == PROCESS.pace else pace)
