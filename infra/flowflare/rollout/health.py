"""Check a deployed stack: which keys the service accepts, and whether the clients answer.

Cloudflare distributes a new version within seconds, not at once. So the check is repeated until
every answer is right or the time is up.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowflare.api.headers import check_secret, is_sendable
from flowflare.errors import RolloutError, SecretError

if TYPE_CHECKING:
    import httpx

_ROUTE = "/service/list-workflows"
_PAUSE = 0.5


@dataclass(frozen=True)
class StackEndpoints:
    """The URLs and keys of a stack that a check uses.

    Attributes:
        service_url: the service's URL, None if it has none.
        client_urls: the URL of each client that has one.
        keys: API keys by generation that the service must accept; secrets.
        refused: API keys by generation that the service must refuse; secrets.
        refuses_keyless: whether to check that the service refuses a request without a key.
    """

    service_url: str | None
    client_urls: Mapping[str, str]
    keys: Mapping[int, str] = field(repr=False)
    refused: Mapping[int, str] = field(default_factory=dict, repr=False)
    refuses_keyless: bool = False


@dataclass(frozen=True)
class Patience:
    """How long a check waits for the right answers.

    Attributes:
        seconds: when the check fails, in seconds.
        clock: the time in seconds.
        sleep: waits between two rounds, in seconds.
    """

    seconds: float = 60
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def check(
    stack: StackEndpoints, patience: Patience | None = None, *, http: "httpx.Client | None" = None
) -> tuple[str, ...]:
    """Repeat the check until every answer is right.

    Args:
        patience: how long to repeat it.
        http: a client to share between many checks; by default, this check opens its own.

    Returns:
        What was checked, as sentences.

    Raises:
        RolloutError: an answer was still wrong at the end, or a key cannot be sent in a header.
    """
    import httpx

    _refuse_unsendable(stack)
    patience = patience or Patience()
    if http is None:
        with httpx.Client(timeout=10, follow_redirects=False) as own:
            return check(stack, patience, http=own)
    deadline = patience.clock() + patience.seconds
    while True:
        wrong = _find_faults(http, stack)
        if not wrong:
            return tuple(_describe_checks(stack))
        if patience.clock() >= deadline:
            raise RolloutError("not healthy: " + "; ".join(wrong))
        patience.sleep(_PAUSE)


def _refuse_unsendable(stack: StackEndpoints) -> None:
    """Fail at once for a key that a header cannot contain: waiting would not help."""
    for generation, key in stack.keys.items():
        try:
            check_secret(key, f"generation {generation} of the API key")
        except SecretError as error:
            raise RolloutError(f"not healthy: {error.message}", remedy=error.remedy) from None


def _find_faults(http: "httpx.Client", stack: StackEndpoints) -> list[str]:
    wrong = list(_find_service_faults(http, stack, stack.service_url)) if stack.service_url else []
    for name, url in stack.client_urls.items():
        answer = _request(http, "GET", url, None)
        if isinstance(answer, str) or answer >= 500:
            wrong.append(f"client {name} answers {answer}")
    return wrong


def _find_service_faults(http: "httpx.Client", stack: StackEndpoints, url: str) -> Iterator[str]:
    for generation, key in stack.keys.items():
        answer = _request(http, "POST", url + _ROUTE, key)
        if answer != 200:
            yield f"the service answers {answer} to key generation {generation}"
    for generation, key in stack.refused.items():
        if not is_sendable(key):
            continue  # no request can use it
        answer = _request(http, "POST", url + _ROUTE, key)
        if answer != 401:
            yield f"the service answers {answer} to the dropped generation {generation}"
    if stack.refuses_keyless:
        answer = _request(http, "POST", url + _ROUTE, None)
        if answer != 401:
            yield f"the service answers {answer} to a request without a key"


def _request(http: "httpx.Client", method: str, url: str, key: str | None) -> int | str:
    """Return the status of the response, or why there was none."""
    import httpx

    headers = {} if key is None else {"X-API-Key": key}
    body = None if key is None else {"limit": 1}
    try:
        return http.request(method, url, headers=headers, json=body).status_code
    except httpx.HTTPError as error:
        return f"nothing ({type(error).__name__})"


def _describe_checks(stack: StackEndpoints) -> list[str]:
    if stack.service_url is None:
        right = ["not checked whether the service accepts the keys: it has no URL of its own"]
    else:
        right = [f"generation {generation} opens the service" for generation in stack.keys]
        right += [f"generation {generation} does not any more" for generation in stack.refused]
        right += ["a request without a key is refused"] if stack.refuses_keyless else []
    if stack.client_urls:
        names = ", ".join(stack.client_urls)
        several = len(stack.client_urls) > 1
        right.append(f"clients {names} answer" if several else f"client {names} answers")
    return right
