"""Opens clients, and holds what they share: the clock, the retries, and each token's budget."""

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
    """Opens clients of Cloudflare's API; those of one token share a connection and a budget.

    Args:
        pace: their clock, time-out and retries.
        transport: what sends requests instead of the network's, made anew for each client.
        budget: makes the budget of a token, by default Cloudflare's limit.
        on_wait: is told the seconds of a wait for a budget, where nobody else asked to be.
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
        self._make_budget = budget or self._counted
        self._listeners = [] if on_wait is None else [on_wait]
        self._lock = threading.Lock()
        self._budgets: dict[tuple[str, str], Budget] = {}
        # Clients are closed when nobody holds them any more; budgets outlive them.
        self._clients: weakref.WeakValueDictionary[tuple[str, str], Client] = (
            weakref.WeakValueDictionary()
        )

    def open(self, base_url: str, token: str, *, pace: Pace | None = None) -> Client:
        """The client for the API at a base URL.

        Args:
            base_url: the address up to and with `/client/v4`.
            token: an API token; sent as a bearer, never logged.
            pace: another time-out and other retries than the connector's, for a client of its
                own; the token's budget is the same.

        Raises:
            SecretError: the token cannot be sent.
        """
        check_secret(token, "the API token for Cloudflare")
        key = (base_url.rstrip("/"), token)
        with self._lock:
            if pace is not None:
                return self._made(base_url, token, self._budget(key), pace)
            client = self._clients.get(key)
            if client is None:
                client = self._made(base_url, token, self._budget(key), self.pace)
                self._clients[key] = client
            return client

    @contextmanager
    def telling(self, on_wait: OnWait) -> Iterator[None]:
        """Lets somebody know, inside the block, when calls wait for a budget for long.

        Args:
            on_wait: is told the seconds, in the thread that waits.
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

    def _counted(self, pace: Pace) -> Budget:
        return Budget(pace.clock, pace.sleep, calls=pace.calls, on_wait=self._tell)

    def _made(self, base_url: str, token: str, budget: Budget, pace: Pace) -> Client:
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
    """How certificates are verified; where none is expected, none is trusted.

    To read the trusted ones costs 20 ms of CPU for every client.
    """
    if not base_url.startswith("http://"):
        return True
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def waiting(seconds: float) -> str:
    """A wait for the budget, in words."""
    return (
        f"waiting {math.ceil(seconds)} s: the account's calls are used up (Cloudflare allows "
        f"{CALLS:,} in 5 minutes)"
    )


#: The connector of this process: its budget is everybody's who is not given another. A plugin of
#: the Pulumi CLI has no other way to say that it waits than its standard error.
PROCESS = Connector(on_wait=lambda seconds: print(waiting(seconds), file=sys.stderr))  # noqa: T201


def connect(base_url: str, token: str, *, max_retries: int = 4, timeout: float = 60.0) -> Client:
    """Opens a client that shares this process's budget.

    Args:
        base_url: the address up to and with `/client/v4`.
        token: an API token; sent as a bearer, never logged.
        max_retries: how often a call that may be repeated is repeated.
        timeout: seconds until a call without an answer counts as lost.
    """
    pace = Pace(timeout=timeout, retries=Retries(attempts=max_retries + 1))
    return PROCESS.open(base_url, token, pace=None if pace == PROCESS.pace else pace)
