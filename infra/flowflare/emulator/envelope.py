"""Wrap every answer of the API, errors included, in Cloudflare's envelope.

Clients check different parts (wrangler reads `success`, the SDKs the HTTP status), so both are
always set.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final

from starlette.responses import JSONResponse

READING: Final = "x-emulator-reading"
"""The header of a refusal that says which part of its rule is our interpretation."""
UNTRACED: Final = "No public trace is recorded for this rule. It is our interpretation."
_OWN: Final = re.compile(r"\bour (interpretation|reading)\b")


@dataclass(frozen=True)
class Problem:
    """Describe one entry of an envelope's `errors`, with its `error_chain`."""

    code: int
    message: str
    chain: tuple["Problem", ...] = ()

    def view(self) -> dict[str, Any]:
        """Return the entry as the envelope shows it."""
        chain = [problem.view() for problem in self.chain]
        entry = {"code": self.code, "message": self.message}
        return {**entry, "error_chain": chain} if chain else entry


class Refusal(Exception):  # noqa: N818 -- an answer of the API, not a failure of the emulator
    """Refuse a call to the API.

    Args:
        problems: the entries of `errors`.
        headers: other headers of the answer, such as `Retry-After`.
    """

    def __init__(
        self, status: int, problems: Sequence[Problem], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(
            "; ".join(f"{problem.message} [code: {problem.code}]" for problem in problems)
        )
        self.status = status
        self.problems = tuple(problems)
        self.headers = dict(headers or {})


def refusal(status: int, code: int, message: str) -> Refusal:
    """Return a refusal with one problem."""
    return Refusal(status, [Problem(code, message)])


@dataclass(frozen=True)
class Code:
    """Describe an error of the API. Call it with the values for its text to get the refusal.

    Attributes:
        code: Cloudflare's number.
        text: the message, with placeholders in braces.
        when: when the API returns it. A sentence with "our interpretation" says which part was
            never observed.
        trace: the public trace that it comes from: an issue, a client's source, a page.
        chain: the problem's `error_chain`.
    """

    status: int
    code: int
    text: str
    when: str
    trace: str = ""
    chain: tuple[Problem, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Return the names of the placeholders, in the order of the text."""
        return tuple(dict.fromkeys(name for _, name, _, _ in Formatter().parse(self.text) if name))

    def __call__(self, *words: str, **named: str) -> Refusal:
        """Return the refusal. Values are in the order of the placeholders, or by name."""
        named |= zip(self.words, words, strict=True) if words else ()
        problem = Problem(self.code, self.text.format(**named), self.chain)
        return Refusal(self.status, [problem], {READING: self.reading} if self.reading else {})

    @property
    def reading(self) -> str:
        """Return which part of the rule is our interpretation; empty if a trace shows all of it."""
        own = [part for part in re.split(r"(?<=\.) ", self.when) if _OWN.search(part)]
        return " ".join(own) or ("" if self.trace else UNTRACED)


def success(
    result: Any,
    *,
    info: Mapping[str, object] | None = None,
    messages: Sequence[str] = (),
    status: int = 200,
) -> JSONResponse:
    """Return an answer that carries a result.

    Args:
        result: any JSON value.
        info: `result_info`, the paging of a list.
        messages: Cloudflare's notices about the call.
    """
    body: dict[str, Any] = {
        "success": True,
        "errors": [],
        "messages": list(messages),
        "result": result,
    }
    if info is not None:
        body["result_info"] = dict(info)
    return JSONResponse(body, status)


def failure(error: Refusal) -> JSONResponse:
    """Return the answer for a refusal."""
    errors = [problem.view() for problem in error.problems]
    body = {"success": False, "errors": errors, "messages": [], "result": None}
    return JSONResponse(body, status_code=error.status, headers=error.headers)
