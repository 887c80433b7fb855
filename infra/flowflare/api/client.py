"""One call to Cloudflare's API: the official SDK's transport, our retries, budget and errors.

A call that finally fails raises an `ApiError` with Cloudflare's own codes. The SDK's resource
classes are not used: importing them costs 0.3 s of CPU per process, and their models drop fields
that Cloudflare adds before the SDK knows them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flowflare.api.budget import Budget
from flowflare.api.retries import Pace, is_doubtful, may_repeat, read_retry_after
from flowflare.errors import ApiError
from flowflare.reading.json_text import JsonError, parse_json

if TYPE_CHECKING:
    import httpx
    from cloudflare import Cloudflare

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_TOO_MANY = (
    "Cloudflare allows a user or account token 1,200 calls in 5 minutes, then refuses every call "
    "for 5 minutes. Wait, then run the command again."
)


@dataclass(frozen=True)
class Part:
    """One part of a multipart body: field, content, media type, and a file name for modules."""

    name: str
    content: str | bytes
    content_type: str
    filename: str | None = None


@dataclass(frozen=True)
class _Attempt:
    """How one attempt ended: with a response, or with the reason why none arrived."""

    response: "httpx.Response | None"
    reason: str = ""

    @property
    def status(self) -> int:
        return self.response.status_code if self.response is not None else 0

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers if self.response is not None else {}


class Client:
    """A client of Cloudflare's API.

    Args:
        sdk: the official SDK's client with token and base URL. It does not retry.
        pace: clock and retries.
    """

    def __init__(self, sdk: "Cloudflare", budget: Budget, pace: Pace) -> None:
        self._sdk = sdk
        self._budget = budget
        self._pace = pace

    def call(  # noqa: PLR0913 -- the parts of a request, each by its name
        self,
        method: Method,
        path: str,
        *,
        body: object = None,
        parts: Sequence[Part] = (),
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        find: Callable[[], Any] | None = None,
    ) -> Any:
        """Send one request, retry it where that may help, and return the envelope's `result`.

        Args:
            path: the path below `/client/v4`, beginning with `/`.
            body: what is sent as JSON, None for no body.
            parts: a multipart body instead of JSON, in this order.
            headers: headers besides those of every request, or instead of one of them.
            find: for a request that would create a second resource if it were sent twice. It
                looks for what an attempt without a response may have created, and returns None if
                there is nothing. What it finds is the result.

        Returns:
            The envelope's `result` as plain JSON values, or the text if the response is not JSON.

        Raises:
            ApiError: Cloudflare refused the request, or the last retry failed.
        """
        arguments = _build_arguments(body, parts, query, headers)
        attempts, waited, doubtful = 0, 0.0, False
        while True:
            attempts += 1
            attempt = self._send(method, path, arguments)
            if attempt.response is not None and attempt.status < 400:
                return _read_result(method, path, attempt.response)
            doubtful = doubtful or is_doubtful(attempt.status)
            wait = self._wait(attempt, attempts, waited)
            if wait is not None:
                if attempt.status == 429:
                    self._budget.tell(wait)
                self._pace.sleep(wait)
                waited += wait
            if doubtful and find is not None:
                found = _look_for_result(find)
                if found is not None:
                    return found
            if wait is None:
                error = self._error(method, path, attempt, _describe_attempts(attempts, waited))
                error.doubtful = doubtful
                raise error

    def _send(self, method: Method, path: str, arguments: dict[str, Any]) -> _Attempt:
        from cloudflare import APIConnectionError, APIStatusError

        response = None
        self._pace.gate()
        self._budget.begin()
        try:
            response = getattr(self._sdk, method.lower())(path, **arguments)
            return _Attempt(response)
        except APIStatusError as error:
            response = error.response
            return _Attempt(response)
        except APIConnectionError as error:
            cause = error.__cause__ or error
            return _Attempt(None, str(cause) or type(cause).__name__)
        finally:
            self._budget.end(response.headers if response is not None else None)

    def _wait(self, attempt: _Attempt, attempts: int, waited: float) -> float | None:
        if not may_repeat(attempt.status, attempt.headers):
            return None
        asked = read_retry_after(attempt.headers, self._pace.now())
        if attempt.status == 429 and asked is not None:
            self._budget.pause(asked)  # the limit belongs to the token, not to this client
        return self._pace.retries.wait(attempts, asked, waited)

    def _error(self, method: Method, path: str, attempt: _Attempt, tried: str) -> ApiError:
        if attempt.response is not None:
            return _refusal(method, path, attempt.response, tried)
        return ApiError(
            f"{method} {path}: no answer from {self._sdk.base_url} ({attempt.reason}){tried}",
            status=0,
            remedy="Check that the API is reachable. To start the embedded Cloudflare: "
            "flowflare emulator start",
        )


def _build_arguments(
    body: object,
    parts: Sequence[Part],
    query: Mapping[str, str] | None,
    headers: Mapping[str, str] | None,
) -> dict[str, Any]:
    import httpx

    options: dict[str, Any] = {}
    if headers:
        options["headers"] = dict(headers)
    if query:
        options["params"] = dict(query)
    arguments: dict[str, Any] = {"cast_to": httpx.Response, "options": options}
    if parts:
        arguments["files"] = [
            (part.name, (part.filename, _as_bytes(part.content), part.content_type))
            for part in parts
        ]
        options["headers"] = {**(headers or {}), "Content-Type": "multipart/form-data"}
    elif body is not None:
        arguments["body"] = body
    return arguments


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _look_for_result(find: Callable[[], Any]) -> Any:
    try:
        return find()
    except ApiError as error:
        error.doubtful = True  # the search failed, so the resource may exist
        raise


def _describe_attempts(attempts: int, waited: float) -> str:
    return f" (tried {attempts} times in {waited:.0f} s)" if attempts > 1 else ""


def _read_result(method: str, path: str, response: "httpx.Response") -> Any:
    if response.status_code == 204 or not response.content:
        return None
    try:
        envelope = parse_json(response.content)
    except JsonError:
        return response.text
    if not isinstance(envelope, dict) or "success" not in envelope:
        return envelope
    if not envelope["success"]:
        raise _refusal(method, path, response)
    return envelope.get("result")


def _refusal(method: str, path: str, response: "httpx.Response", tried: str = "") -> ApiError:
    try:
        errors = parse_json(response.content).get("errors") or []
    except (JsonError, AttributeError):
        errors = []
    texts = [f"{error.get('message')} [code: {error.get('code')}]" for error in errors]
    text = "; ".join(texts) or response.reason_phrase or "no reason given"
    codes = [error["code"] for error in errors if isinstance(error.get("code"), int)]
    message = f"{method} {path}: HTTP {response.status_code}: {text}{tried}"
    remedy = _TOO_MANY if response.status_code == 429 else None
    return ApiError(message, status=response.status_code, codes=codes, remedy=remedy)
