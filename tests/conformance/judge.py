"""Judge what a client did: by the requests that the emulator logged, and by what is seen after."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowflare.emulator.requests import API
from tests.conformance.rows import Absent, Answers, Check, Outcome, Prints, Row, Seen
from tests.emulator.emulated import Account, get

_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}")


@dataclass(frozen=True)
class Done:
    """What a client reported of a row: whether it succeeded, and what it said."""

    succeeded: bool
    text: str
    result: Any = None
    """The decoded result, of an SDK or a request."""


@dataclass(frozen=True)
class Verdict:
    """How a row ended, and why."""

    row: Row
    outcome: Outcome
    reason: str = ""


def judge(
    row: Row,
    done: Done,
    account: Account,
    saved: Mapping[str, str],
    calls: Sequence[Mapping[str, Any]],
) -> Verdict:
    """Compare what happened with what the row expects.

    Args:
        saved: the values for words in braces.
        calls: what the emulator logged of the row.
    """
    gaps = [call for call in calls if not call["known"]]
    if gaps and not any(row.refused in call["codes"] for call in gaps):
        # Clients must see that the operation is not emulated, so any other status is wrong.
        honest = all(call["status"] == 501 for call in gaps)
        named = f"{gaps[0]['method']} {_general(gaps[0]['path'], account)}"
        reason = f"`{named}` is not emulated"
        if not honest:
            return Verdict(row, Outcome.WRONG, f"{reason}, and the answer is not 501")
        return Verdict(row, Outcome.GAP, reason)
    if row.fault and row.fault in done.text:
        return Verdict(row, Outcome.FAULT, row.fault)
    if row.refused:
        problem = "; ".join(_unlike_refusal(row, done, calls))
        outcome = Outcome.REFUSED
    elif not done.succeeded:
        problem, outcome = _first_error(done.text, calls), Outcome.WRONG
    else:
        problem, outcome = "", Outcome.WORKS
    problem = problem or "; ".join(_unseen(row.checks, done, account, saved))
    return Verdict(row, Outcome.WRONG if problem else outcome, _general(problem, account))


def _unlike_refusal(row: Row, done: Done, calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if done.succeeded:
        yield f"is not refused with {row.refused}"
        return
    refusals = [call for call in calls if row.refused in call["codes"]]
    if not refusals:
        codes = sorted({code for call in calls for code in call["codes"]})
        yield f"refused with {codes or 'no code'} instead of {row.refused}"
    elif row.status and all(call["status"] != row.status for call in refusals):
        yield f"{row.refused} has status {refusals[0]['status']} instead of {row.status}"


def _first_error(text: str, calls: Sequence[Mapping[str, Any]]) -> str:
    refusals = [f"{call['status']} {call['codes']}" for call in calls if call["codes"]]
    lines = [line for line in text.splitlines() if "ERROR" in line or "rror:" in line]
    said = lines[0] if lines else text.strip().splitlines()[-1] if text.strip() else "no output"
    return f"{' '.join(refusals[-1:])} {_COLOR.sub('', said)}"[:160].strip()


def _unseen(
    checks: Sequence[Check], done: Done, account: Account, saved: Mapping[str, str]
) -> Iterator[str]:
    """List the checks that fail."""
    for check in checks:
        problem = _problem(check, done, account, saved)
        if problem:
            yield problem[:160]


def _problem(check: Check, done: Done, account: Account, saved: Mapping[str, str]) -> str:
    """Return what is not as the check says, or an empty text."""
    match check:
        case Prints(text=text):
            wanted = fill(text, saved)
            return "" if wanted in done.text else f"does not print {wanted!r}"
        case Answers(script=script, text=text):
            answered = get(_url(account, script)).text
            said = f"Worker {script} answers {answered!r}"
            return "" if fill(text, saved) in answered else said
        case Absent(path=path):
            status = account.http.get(fill(path, saved)).status_code
            return "" if status == 404 else f"{path} answers {status}"
        case Seen():
            return _unlike(check, account, saved)


def _url(account: Account, script: str) -> str:
    """Return a Worker's URL on workers.dev, which is enabled if it is not."""
    subdomain = account.http.get(f"/workers/scripts/{script}/subdomain").json()["result"] or {}
    body = {"enabled": True, "previews_enabled": False}
    if not subdomain.get("enabled"):
        account.http.post(f"/workers/scripts/{script}/subdomain", json=body)
    return str(subdomain["url"])


def _unlike(check: Seen, account: Account, saved: Mapping[str, str]) -> str:
    found = _pick(_read(account, fill(check.path, saved)), check.pick)
    value = fill(check.value, saved)
    matches = value in found if check.has and found is not None else found == value
    return "" if matches else f"{check.path} {check.pick} is {found!r}"


def _read(account: Account, path: str) -> Any:
    url = account.root + path if path.startswith(API) else path
    response = account.http.get(url)
    if "json" not in response.headers.get("content-type", ""):
        return response.text
    body = response.json()
    return body["result"] if isinstance(body, dict) and "success" in body else body


def _pick(value: Any, path: str) -> Any:
    """Follow the members of a path such as `items.*.id`."""
    head, _, rest = path.partition(".")
    if not head:
        return value
    if head == "*":
        return [_pick(each, rest) for each in value or ()]
    if isinstance(value, list):
        position = int(head)
        return _pick(value[position], rest) if position < len(value) else None
    return _pick(value.get(head), rest) if isinstance(value, dict) else None


def pick(value: Any, path: str) -> Any:
    """Return the member of a result that a path such as `items.0.id` names."""
    return _pick(value, path)


def fill(value: Any, saved: Mapping[str, str]) -> Any:
    """Replace the words in braces in every text of a value."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda match: saved.get(match[1], match[0]), value)
    if isinstance(value, Mapping):
        return {fill(name, saved): fill(each, saved) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(fill(each, saved) for each in value)
    return value


def _general(path: str, account: Account) -> str:
    """Replace IDs, which differ in every run."""
    short = path.replace(API, "").replace(account.id, "{account_id}")
    return _ID.sub("{id}", short)
