"""Call a service's REST API over httpx: single requests, retries, pages and readable errors."""

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from flowflare.api.headers import check_secret
from flowflare.api.retries import Pace, read_retry_after
from flowflare.errors import CommentError
from flowflare.reading.json_text import parse_json

_PAGES: Final = 1_000
# After a secondary rate limit without `retry-after`, GitHub asks to wait at least a minute.
_DEFAULT_WAIT: Final = 60.0
_MOST_CHARACTERS: Final = 300
_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]+")


@dataclass(frozen=True)
class Service:
    """The differences between GitHub and GitLab: name, token variable, permission, media type."""

    name: str
    variable: str
    permission: str
    accept: str


class TryAgain(CommentError):  # noqa: N818 -- names what to do, not what is wrong
    """A failed request that may succeed when it is retried.

    Args:
        message: what happened.
        asked: the seconds that the service asks to wait; None if it does not say.
    """

    def __init__(self, message: str, *, asked: float | None = None) -> None:
        super().__init__(message, remedy="Run the command again later; it resumes.")
        self.asked = asked


class NotFound(CommentError):  # noqa: N818 -- a response, not always an error
    """The service does not have the item, or the token cannot read it."""


class ServiceSession:
    """Calls one service with one token.

    Args:
        base: the API's address.
        token: sent as a bearer token, to this address only; never shown.
        pace: clock, timeout and retries.
        certificates: trusted certificates for TLS; None for httpx's own, which take 40 ms to load.
    """

    def __init__(
        self,
        service: Service,
        base: str,
        token: str,
        pace: Pace,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        self.service = service
        self.base = _check_address(base)
        self.pace = pace
        self._client = httpx.Client(
            headers={
                "Authorization": f"Bearer {check_secret(token, service.variable)}",
                "Accept": service.accept,
                "User-Agent": "flowflare",
            },
            timeout=pace.timeout,
            verify=certificates or True,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, method: str, address: str, *, body: object = None) -> Any:
        """Send a request once.

        Args:
            address: a path below the API's address, or a full address on the same host.
            body: sent as JSON.

        Returns:
            The response's JSON value; None if it is empty.

        Raises:
            TryAgain: no response, a rate limit, or a failure of the service; the request may have
                been processed.
            NotThere: 404 or 410.
            CommentError: any other error response.
        """
        return _read_value(self._answer(method, address, None, body), self.service.name)

    def get(
        self, address: str, query: Mapping[str, str] | None = None, *, body: object = None
    ) -> httpx.Response:
        """Send a request that only reads, with retries.

        Args:
            address: as for `send`.
            body: for a query that is sent as a POST.

        Raises:
            CommentError: the service refused, or the retries are used up.
        """
        tries = Tries(self.pace)
        while True:
            try:
                return self._answer("POST" if body else "GET", address, query, body)
            except TryAgain as refusal:
                tries.wait(refusal)

    def get_one(self, address: str, *, body: object = None) -> Mapping[str, Any]:
        """Read one JSON object."""
        value = _read_value(self.get(address, body=body), self.service.name)
        return value if isinstance(value, dict) else {}

    def list_all(self, path: str, query: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """Read all items of a list, page by page, by the `Link` headers.

        Raises:
            CommentError: as for `get`, or the next page is on another host.
        """
        answer = self.get(path, {"per_page": "100", **query})
        for _ in range(_PAGES):
            items = _read_value(answer, self.service.name)
            yield from (item for item in items or () if isinstance(item, dict))
            following = answer.links.get("next", {}).get("url")
            if not following:
                return
            answer = self.get(following)

    def _answer(
        self, method: str, address: str, query: Mapping[str, str] | None, body: object
    ) -> httpx.Response:
        name = self.service.name
        url = httpx.URL(address if "://" in address else self.base + address)
        if _read_origin(url) != _read_origin(httpx.URL(self.base)):
            raise CommentError(f"{name} refers to {url.host}, and the token is not sent there")
        try:
            # httpx drops the address's own query if it receives another.
            answer = self._client.request(method, url, params=query or None, json=body)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise TryAgain(f"{name} at {url.host} does not respond: {reason}") from error
        if answer.is_success:
            return answer
        raise self._make_error(answer)

    def _make_error(self, answer: httpx.Response) -> CommentError:
        status, name = answer.status_code, self.service.name
        said = _read_message(answer)
        text = f"{name}: HTTP {status}: {said}"
        asked = read_limit_wait(status, answer.headers, said, self.pace.now())
        if asked is not None:
            return TryAgain(f"{text} (a rate limit; it asks to wait {asked:.0f} s)", asked=asked)
        if status in (408, 409) or status >= 500:
            return TryAgain(text, asked=read_retry_after(answer.headers, self.pace.now()))
        if status in (404, 410):
            return NotFound(text)
        if answer.is_redirect:
            return CommentError(text, remedy="It has moved: use its current name.")
        return CommentError(text, remedy=self._remedy(status, said))

    def _remedy(self, status: int, said: str) -> str | None:
        if status == 401:
            return f"The token in {self.service.variable} is not valid, or has expired."
        if status == 403 and "lock" in said.lower():
            return "The conversation is locked: unlock it."
        if status == 403:
            return f"The token in {self.service.variable} needs {self.service.permission}."
        return None


class Tries:
    """The attempts at one operation."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._attempts = 0
        self._waited = 0.0

    def wait(self, refusal: TryAgain) -> None:
        """Wait before the next attempt.

        Raises:
            TryAgain: the original error, once the attempts or the patience are used up.
        """
        self._attempts += 1
        seconds = self._pace.retries.wait(self._attempts, refusal.asked, self._waited)
        if seconds is None:
            if self._attempts > 1:
                refusal.message += f" (tried {self._attempts} times in {self._waited:.0f} s)"
            raise refusal
        self._pace.sleep(seconds)
        self._waited += seconds


def read_limit_wait(status: int, headers: Mapping[str, str], said: str, now: float) -> float | None:
    """Return the seconds to wait for a rate limit; None if the response is not about one.

    GitHub responds with 403 or 429, and with `retry-after`, or with `x-ratelimit-remaining: 0` and
    the time in `x-ratelimit-reset`, or without either. GitLab responds with 429, and with
    `retry-after` or `ratelimit-reset` (docs.github.com/rest, Rate limits; docs.gitlab.com, Rate
    limits).

    Args:
        said: the response's message.
        now: the time in Unix seconds.
    """
    if status not in (403, 429):
        return None
    asked = read_retry_after(headers, now)
    if asked is not None:
        return asked
    for prefix in ("x-", ""):
        reset = headers.get(f"{prefix}ratelimit-reset", "")
        used_up = headers.get(f"{prefix}ratelimit-remaining") == "0"
        if used_up and reset.isascii() and reset.isdecimal() and len(reset) < 12:
            return max(1.0, int(reset) - now + 1)
    return _DEFAULT_WAIT if status == 429 or "rate limit" in said.lower() else None


def _check_address(base: str) -> str:
    try:
        url = httpx.URL(base)
    except httpx.InvalidURL as error:
        raise CommentError(f"{base!r} is not the address of an API: {error}") from None
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host) or url.userinfo:
        raise CommentError(f"{base!r} is not the address of an API: it must be https://HOST/PATH")
    return base.rstrip("/")


def _read_origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _read_value(answer: httpx.Response, name: str) -> Any:
    if not answer.content:
        return None
    try:
        return parse_json(answer.content)
    except ValueError:
        raise CommentError(f"{name} responds with something that is not JSON") from None


def _read_message(answer: httpx.Response) -> str:
    """Return the response's own message on one line, shortened."""
    try:
        value = parse_json(answer.content)
    except ValueError:
        value = None
    if isinstance(value, dict):
        words = value.get("message") or value.get("error_description") or value.get("error")
        details = value.get("errors")
        text = f"{words or ''}{f' {details}' if details else ''}"
    else:
        text = ""
    text = "".join(char if char.isprintable() else " " for char in text)
    return text.strip()[:_MOST_CHARACTERS] or answer.reason_phrase or "no reason given"
