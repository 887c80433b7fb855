"""Open API clients that check before every call whether it may still be sent."""

from collections.abc import Callable, Mapping

from flowflare.api import Connector, Pace
from flowflare.api.budget import Budget


def make_gated_connector(
    gate: Callable[[], None],
    pause: Callable[[float], None],
    forwarder: str | None,
    stack: str,
) -> Connector:
    """Make a connector whose clients call a gate before each attempt of a call.

    Args:
        gate: returns if a call may be sent, and raises if not.
        pause: waits between attempts; raises if no further attempt may be made.
        forwarder: the forwarder's address with its token; None to call the API directly.
        stack: the stack that makes the calls.
    """
    if forwarder is None:
        return _GatedConnector(gate, Pace(sleep=pause))
    from flowflare.fleet.forwarder.connector import ForwardedConnector

    class _GatedForwarded(ForwardedConnector):
        def _budget(self, key: tuple[str, str]) -> Budget:
            return _GatedBudget(super()._budget(key), gate)

    return _GatedForwarded(forwarder, stack, Pace(sleep=pause, timeout=330.0))


class _GatedConnector(Connector):
    """A connector with a gate and the usual budget."""

    def __init__(self, gate: Callable[[], None], pace: Pace) -> None:
        super().__init__(pace)
        self._gate = gate

    def _budget(self, key: tuple[str, str]) -> Budget:
        return _GatedBudget(super()._budget(key), self._gate)


class _GatedBudget(Budget):
    """A budget behind a gate."""

    def __init__(self, inner: Budget, gate: Callable[[], None]) -> None:
        self._inner = inner
        self._gate = gate

    def begin(self) -> None:
        """Call the gate, then wait for the inner budget."""
        self._gate()
        self._inner.begin()

    def end(self, headers: Mapping[str, str] | None = None) -> None:
        """Report the response to the inner budget."""
        self._inner.end(headers)

    def pause(self, seconds: float) -> None:
        """Pause the inner budget."""
        self._inner.pause(seconds)

    def tell(self, seconds: float) -> None:
        """Report a wait through the inner budget."""
        self._inner.tell(seconds)
