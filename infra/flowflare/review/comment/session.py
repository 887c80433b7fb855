"""Talks to a service's REST API over httpx: one sending at a time, pages, and refusals in words."""

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
# GitHub: after a secondary rate limit without a `retry-after`, wait at least a minute.
_UNSAID: Final = 60.0
_SHOWN: Final = 300
_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]+")


@dataclass(frozen=True)
class Service:
    """What is particular to GitHub or GitLab: its name, where its token stands, what it needs."""

    name: str
    variable: str
    permission: str
    accept: str


class TryAgain(CommentError):  # noqa: N818 -- says what to do, not what is wrong
    """A call that another attempt may help.

    Args:
        message: what came of it.
        asked: the seconds that the service asks to wait; None where it does not say.
    """

    def __init__(self, message: str, *, asked: float | None = None) -> None:
        super().__init__(message, remedy="Run it again later: it finds what is there.")
        self.asked = asked


class NotThere(CommentError):  # noqa: N818 -- an answer, not always a mistake
    """The service has no such thing, or the token does not see it."""


class Session:
    """Calls one service with one token.

    Args:
        service: which one.
        base: the API's address.
        token: sent as a bearer, to this address only, and shown nowhere.
        pace: clock, time-out and retries.
        certificates: who is trusted over TLS; None for httpx's own, which take 40 ms to load.
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
        self.base = _checked(base)
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
        """Closes its connections."""
        self._client.close()

    def send(self, method: str, address: str, *, body: object = None) -> Any:
        """Sends a request once.

        Args:
            method: the HTTP method.
            address: a path below the API's address, or a whole address at the same host.
            body: sent as JSON.

        Returns:
            The answer's JSON value; None for an empty one.

        Raises:
            TryAgain: no answer, a limit, or a failure of the service's own; it may have been done.
            NotThere: 404 or 410.
            CommentError: any other refusal.
        """
        return _value(self._answer(method, address, None, body), self.service.name)

    def get(
        self, address: str, query: Mapping[str, str] | None = None, *, body: object = None
    ) -> httpx.Response:
        """Asks for something, again where that may help.

        Args:
            address: as for `send`.
            query: the query's parameters.
            body: for a question that is sent as a POST.

        Raises:
            CommentError: refused, or the retries are used up.
        """
        tries = Tries(self.pace)
        while True:
            try:
                return self._answer("POST" if body else "GET", address, query, body)
            except TryAgain as refusal:
                tries.wait(refusal)

    def one(self, address: str, *, body: object = None) -> Mapping[str, Any]:
        """One JSON object that the API has."""
        value = _value(self.get(address, body=body), self.service.name)
        return value if isinstance(value, dict) else {}

    def every(self, path: str, query: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """All items of a list, page by page, as the `Link` headers lead.

        Raises:
            CommentError: as for `get`, or the next page lies at another host.
        """
        answer = self.get(path, {"per_page": "100", **query})
        for _ in range(_PAGES):
            items = _value(answer, self.service.name)
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
        if _origin(url) != _origin(httpx.URL(self.base)):
            raise CommentError(f"{name} leads to {url.host}, and the token is not sent there")
        try:
            # httpx drops the address's own query when it is given another one.
            answer = self._client.request(method, url, params=query or None, json=body)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise TryAgain(f"{name} at {url.host} gives no answer: {reason}") from error
        if answer.is_success:
            return answer
        raise self._refused(answer)

    def _refused(self, answer: httpx.Response) -> CommentError:
        status, name = answer.status_code, self.service.name
        said = _said(answer)
        text = f"{name}: HTTP {status}: {said}"
        asked = limit_wait(status, answer.headers, said, self.pace.now())
        if asked is not None:
            return TryAgain(f"{text} (a rate limit; it asks to wait {asked:.0f} s)", asked=asked)
        if status in (408, 409) or status >= 500:
            return TryAgain(text, asked=read_retry_after(answer.headers, self.pace.now()))
        if status in (404, 410):
            return NotThere(text)
        if answer.is_redirect:
            return CommentError(text, remedy="It has moved: name it as it is called now.")
        return CommentError(text, remedy=self._remedy(status, said))

    def _remedy(self, status: int, said: str) -> str | None:
        if status == 401:
            return f"{self.service.variable} holds no token that is valid now."
        if status == 403 and "lock" in said.lower():
            return "Its conversation is locked: unlock it."
        if status == 403:
            return f"The token in {self.service.variable} needs {self.service.permission}."
        return None


class Tries:
    """The attempts at one thing."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._attempts = 0
        self._waited = 0.0

    def wait(self, refusal: TryAgain) -> None:
        """Waits before the next attempt.

        Raises:
            TryAgain: the refusal itself, when attempts or patience are used up.
        """
        self._attempts += 1
        seconds = self._pace.retries.wait(self._attempts, refusal.asked, self._waited)
        if seconds is None:
            if self._attempts > 1:
                refusal.message += f" (tried {self._attempts} times in {self._waited:.0f} s)"
            raise refusal
        self._pace.sleep(seconds)
        self._waited += seconds


def limit_wait(status: int, headers: Mapping[str, str], said: str, now: float) -> float | None:
    """The seconds to wait for a rate limit; None where the answer is about something else.

    GitHub answers 403 or 429, with `retry-after`, or with `x-ratelimit-remaining: 0` and the time
    in `x-ratelimit-reset`, or with neither; GitLab 429 with `retry-after` or `ratelimit-reset`
    (docs.github.com/rest, Rate limits; docs.gitlab.com, Rate limits).

    Args:
        status: the answer's.
        headers: the answer's.
        said: the answer's message.
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
    return _UNSAID if status == 429 or "rate limit" in said.lower() else None


def _checked(base: str) -> str:
    try:
        url = httpx.URL(base)
    except httpx.InvalidURL as error:
        raise CommentError(f"{base!r} is no address of an API: {error}") from None
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host) or url.userinfo:
        raise CommentError(f"{base!r} is no address of an API: it must be https://HOST/PATH")
    return base.rstrip("/")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _value(answer: httpx.Response, name: str) -> Any:
    if not answer.content:
        return None
    try:
        return parse_json(answer.content)
    except ValueError:
        raise CommentError(f"{name} answers with something that is not JSON") from None


def _said(answer: httpx.Response) -> str:
    """The answer's own words on one line, cut short."""
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
    text = "".join(one if one.isprintable() else " " for one in text)
    return text.strip()[:_SHOWN] or answer.reason_phrase or "no reason given"
