"""One call to Cloudflare's API: the official SDK's transport and retries, our errors.

The SDK repeats 408, 409, 429 and 5xx with back-off and honours `Retry-After` and
`x-should-retry`; what it gives up on becomes an `ApiError` with Cloudflare's own codes. Resource
classes of the SDK are not used: importing them costs 0.3 s of CPU a process, and their models drop
the fields that Cloudflare adds before the SDK knows them.
"""

import json
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flowflare.errors import ApiError

if TYPE_CHECKING:
    import httpx
    from cloudflare import Cloudflare

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Part:
    """One part of a multipart body: field, content, media type, and a file name for modules."""

    name: str
    content: str
    content_type: str
    filename: str | None = None


class Client:
    """Calls Cloudflare's API.

    Args:
        sdk: the official SDK's client, which holds token, base URL and retries.
    """

    def __init__(self, sdk: "Cloudflare") -> None:
        self._sdk = sdk

    def call(
        self,
        method: Method,
        path: str,
        *,
        body: object = None,
        parts: Sequence[Part] = (),
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Sends one request and returns the envelope's `result`.

        Args:
            method: the HTTP method.
            path: the path below `/client/v4`, beginning with `/`.
            body: what is sent as JSON, None for no body.
            parts: a multipart body instead of JSON, in this order.
            query: the query's parameters.

        Returns:
            `result` of the envelope as plain JSON values; the text of an answer that is not JSON.

        Raises:
            ApiError: Cloudflare refused, or no answer came within the SDK's retries.
        """
        import httpx
        from cloudflare import APIConnectionError, APIStatusError

        options: dict[str, Any] = {}
        if query:
            options["params"] = dict(query)
        arguments: dict[str, Any] = {"cast_to": httpx.Response, "options": options}
        if parts:
            arguments["files"] = [
                (part.name, (part.filename, part.content.encode(), part.content_type))
                for part in parts
            ]
            options["headers"] = {"Content-Type": "multipart/form-data"}
        elif body is not None:
            arguments["body"] = body
        try:
            response = getattr(self._sdk, method.lower())(path, **arguments)
        except APIStatusError as error:
            raise _refused(method, path, error.response) from None
        except APIConnectionError as error:
            reason = error.__cause__ or error
            raise ApiError(
                f"{method} {path}: no answer from {self._sdk.base_url} ({reason})",
                status=0,
                remedy="Is the API reachable? Start the embedded one: flowflare emulator start",
            ) from None
        return _result(method, path, response)


def connect(base_url: str, token: str, *, max_retries: int = 4, timeout: float = 60.0) -> Client:
    """Opens a client for the API at that base URL.

    Args:
        base_url: the address up to and with `/client/v4`.
        token: an API token; sent as a bearer, never logged.
        max_retries: how often the SDK repeats a call that may be repeated.
        timeout: seconds until a call without an answer counts as lost.
    """
    from cloudflare import Cloudflare

    sdk = Cloudflare(base_url=base_url, api_token=token, max_retries=max_retries, timeout=timeout)
    client = Client(sdk)
    # Nobody owns a client for long enough to close it: providers hold it until a run is over.
    weakref.finalize(client, sdk.close)
    return client


def _result(method: str, path: str, response: "httpx.Response") -> Any:
    if response.status_code == 204 or not response.content:
        return None
    try:
        envelope = response.json()
    except json.JSONDecodeError:
        return response.text
    if not isinstance(envelope, dict) or "success" not in envelope:
        return envelope
    if not envelope["success"]:
        raise _refused(method, path, response)
    return envelope.get("result")


def _refused(method: str, path: str, response: "httpx.Response") -> ApiError:
    try:
        errors = response.json().get("errors") or []
    except (json.JSONDecodeError, AttributeError):
        errors = []
    texts = [f"{error.get('message')} [code: {error.get('code')}]" for error in errors]
    text = "; ".join(texts) or response.reason_phrase or "no reason given"
    codes = [error["code"] for error in errors if isinstance(error.get("code"), int)]
    message = f"{method} {path}: HTTP {response.status_code}: {text}"
    return ApiError(message, status=response.status_code, codes=codes)
