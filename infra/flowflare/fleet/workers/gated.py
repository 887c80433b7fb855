"""Opens clients of the API that ask before every call whether it may still be sent."""

from collections.abc import Callable, Mapping

from flowflare.api import Connector, Pace
from flowflare.api.budget import Budget


def gated(
    gate: Callable[[], None],
    pause: Callable[[float], None],
    forwarder: str | None,
    stack: str,
) -> Connector:
    """A connector whose clients pass a gate before each attempt of a call.

    Args:
        gate: returns where a call may be sent, and raises where not.
        pause: waits; raises where there is nothing to wait for any more.
        forwarder: the address of the forwarder that calls go through, None for none.
        stack: whose calls they are.
    """
    if forwarder is None:
        return _Gated(gate, Pace(sleep=pause))
    from flowflare.fleet.forwarder.connector import ForwardedConnector

    class _GatedForwarded(ForwardedConnector):
        def _budget(self, key: tuple[str, str]) -> Budget:
            return _GatedBudget(super()._budget(key), gate)

    return _GatedForwarded(forwarder, stack, Pace(sleep=pause, timeout=330.0))


class _Gated(Connector):
    """Counts against Cloudflare's limit as usual."""

    def __init__(self, gate: Callable[[], None], pace: Pace) -> None:
        super().__init__(pace)
        self._gate = gate

    def _budget(self, key: tuple[str, str]) -> Budget:
        return _GatedBudget(super()._budget(key), self._gate)


class _GatedBudget(Budget):
    """Another budget behind a gate."""

    def __init__(self, inner: Budget, gate: Callable[[], None]) -> None:
        self._inner = inner
        self._gate = gate

    def begin(self) -> None:
        """Passes the gate, and waits as the other budget does."""
        self._gate()
        self._inner.begin()

    def end(self, headers: Mapping[str, str] | None = None) -> None:
        """Tells the other budget."""
        self._inner.end(headers)

    def pause(self, seconds: float) -> None:
        """Tells the other budget."""
        self._inner.pause(seconds)

    def tell(self, seconds: float) -> None:
        """Tells the other budget."""
        self._inner.tell(seconds)
