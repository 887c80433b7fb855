"""Asks a deployed stack whether it is healthy: which keys open the service, whether clients answer.

Cloudflare brings a new version to its machines within seconds, not at once; so it is asked until
all answers are right or time is up.
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
class Stack:
    """What is asked.

    Attributes:
        service_url: the service's URL, None where it has none.
        client_urls: URL by client, of those that have one.
        keys: API keys by generation, all of which must open the service; secrets.
        refused: keys by generation that must not open it any more; secrets.
        refuses_keyless: whether it is also asked without a key, which it must refuse.
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
        seconds: until it gives up.
        clock: the time in seconds.
        sleep: waits between two rounds.
    """

    seconds: float = 60
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def check(
    stack: Stack, patience: Patience | None = None, *, http: "httpx.Client | None" = None
) -> tuple[str, ...]:
    """Asks until everything is right.

    Args:
        stack: what is asked.
        patience: how long.
        http: what asks, for who asks many stacks; by default a client for this check alone.

    Returns:
        What was found right, as sentences.

    Raises:
        RolloutError: something was still wrong at the end, or a key cannot be sent at all.
    """
    import httpx

    _refuse_unsendable(stack)
    patience = patience or Patience()
    if http is None:
        with httpx.Client(timeout=10, follow_redirects=False) as own:
            return check(stack, patience, http=own)
    deadline = patience.clock() + patience.seconds
    while True:
        wrong = _wrong(http, stack)
        if not wrong:
            return tuple(_right(stack))
        if patience.clock() >= deadline:
            raise RolloutError("not healthy: " + "; ".join(wrong))
        patience.sleep(_PAUSE)


def _refuse_unsendable(stack: Stack) -> None:
    """Stop at once for a key that no request can carry: no later answer would be another one."""
    for generation, key in stack.keys.items():
        try:
            check_secret(key, f"generation {generation} of the API key")
        except SecretError as error:
            raise RolloutError(f"not healthy: {error.message}", remedy=error.remedy) from None


def _wrong(http: "httpx.Client", stack: Stack) -> list[str]:
    wrong = list(_wrong_of_service(http, stack, stack.service_url)) if stack.service_url else []
    for name, url in stack.client_urls.items():
        answer = _asked(http, "GET", url, None)
        if isinstance(answer, str) or answer >= 500:
            wrong.append(f"client {name} answers {answer}")
    return wrong


def _wrong_of_service(http: "httpx.Client", stack: Stack, url: str) -> Iterator[str]:
    for generation, key in stack.keys.items():
        answer = _asked(http, "POST", url + _ROUTE, key)
        if answer != 200:
            yield f"the service answers {answer} to key generation {generation}"
    for generation, key in stack.refused.items():
        if not is_sendable(key):
            continue  # so it opens nothing
        answer = _asked(http, "POST", url + _ROUTE, key)
        if answer != 401:
            yield f"the service answers {answer} to the dropped generation {generation}"
    if stack.refuses_keyless:
        answer = _asked(http, "POST", url + _ROUTE, None)
        if answer != 401:
            yield f"the service answers {answer} to who has no key"


def _asked(http: "httpx.Client", method: str, url: str, key: str | None) -> int | str:
    """The status of an answer, or why there was none."""
    import httpx

    headers = {} if key is None else {"X-API-Key": key}
    body = None if key is None else {"limit": 1}
    try:
        return http.request(method, url, headers=headers, json=body).status_code
    except httpx.HTTPError as error:
        return f"nothing ({type(error).__name__})"


def _right(stack: Stack) -> list[str]:
    if stack.service_url is None:
        right = ["not asked whether keys open the service: it has no URL of its own"]
    else:
        right = [f"generation {one} opens the service" for one in stack.keys]
        right += [f"generation {one} does not any more" for one in stack.refused]
        right += ["who has no key is refused"] if stack.refuses_keyless else []
    if stack.client_urls:
        names = ", ".join(stack.client_urls)
        several = len(stack.client_urls) > 1
        right.append(f"clients {names} answer" if several else f"client {names} answers")
    return right
