"""Send requests to the stores: the workerd that holds the data of KV namespaces and R2 buckets."""

from typing import TYPE_CHECKING

from flowflare.emulator.runtime.contract import StoreAnswer, StoreRequest
from flowflare.errors import EmulatorError

if TYPE_CHECKING:
    import httpx


class StoresClient:
    """Send requests over loopback, in the protocol that Miniflare's bindings use."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def ask(self, address: str, secret: str, request: StoreRequest) -> StoreAnswer:
        """Send a request and return the answer.

        Raises:
            EmulatorError: the stores do not answer.
        """
        import httpx

        # The connection is local, and a large object may take any time.
        self._client = self._client or httpx.AsyncClient(
            verify=False,  # noqa: S501
            timeout=None,  # noqa: S113
            trust_env=False,
        )
        headers = {
            "emulator-store": request.store,
            "emulator-secret": secret,
            "MF-Namespace": request.key,
        }
        try:
            answer = await self._client.request(
                request.method,
                f"http://{address}{request.path}",
                headers={"accept-encoding": "identity", **headers, **request.headers},
                content=request.body,
            )
        except httpx.HTTPError as error:
            message = f"The stored data cannot be reached: {error}"
            raise EmulatorError(message) from None
        return StoreAnswer(answer.status_code, dict(answer.headers), answer.content)
