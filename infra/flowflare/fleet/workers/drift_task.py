"""Compare one stack's state with its account, as a task of the pool."""

from shlex import quote
from typing import Any, Final

from flowflare.config.engine import engine_of
from flowflare.engine.access import find_token, read_base_url
from flowflare.engine.contract import read_state
from flowflare.errors import FlowflareError
from flowflare.fleet.workers.context import TaskContext
from flowflare.kinds.account import Account
from flowflare.review.drift.compare import compare_with_account, make_failed
from flowflare.review.recording_process import list_own_words

# Each process reads the lists of an account once per run of the pool.
_ACCOUNTS: Final[dict[tuple[str, str, str, str], Account]] = {}


def compare(context: TaskContext) -> dict[str, Any]:
    """Find a stack's drift.

    Args:
        context: the stack; its option `run` identifies the run of the pool.

    Returns:
        `drift`: a `StackDrift`; `words`: placeholders by the stack's own words.
    """
    project = context.project
    engine = engine_of(project).name
    try:
        state = read_state(project, context.environ, opened=False)
        account = _open_account(context)
        found = compare_with_account(state, account, stack=context.stack, engine=engine)
    except FlowflareError as error:
        found = make_failed(context.stack, engine, error)
    words = {**list_own_words(project), f"--stack {quote(context.stack)}": "--stack <stack>"}
    return {"drift": found.model_dump(mode="json"), "words": words}


def _open_account(context: TaskContext) -> Account:
    value = context.project.values.get("flowflare:accountId")
    where = read_base_url(context.project, context.environ)
    secret = find_token(context.project, context.environ)
    run = str(context.options.get("run", ""))
    key = (run, where, secret, value.text if value else "")
    if key not in _ACCOUNTS:
        for other in [known for known in _ACCOUNTS if known[0] != run]:
            del _ACCOUNTS[other]
        _ACCOUNTS[key] = Account(context.api.open(where, secret), key[3])
    return _ACCOUNTS[key]
