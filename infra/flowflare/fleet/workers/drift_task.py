"""Compares one stack's state with its account, for the pool."""

from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from flowflare.config.engine import engine_of
from flowflare.errors import FlowflareError

if TYPE_CHECKING:
    from flowflare.fleet.workers.scene import Scene
    from flowflare.kinds.account import Account

# A list of an account is asked for once by each process; one run of the pool is kept at a time.
_ACCOUNTS: Final[dict[tuple[str, str, str, str], "Account"]] = {}


def drift(scene: "Scene") -> dict[str, Any]:
    """What has drifted in a stack.

    Args:
        scene: its option `run` tells runs of the pool apart.

    Returns:
        `drift`: a `StackDrift`; `words`: the stack's own words with what stands for them.
    """
    from flowflare.review.drift.compare import compare_with_account as compared
    from flowflare.review.drift.compare import make_failed
    from flowflare.review.recording_process import list_own_words

    project = scene.project
    engine = engine_of(project).name
    try:
        found = compared(_state(scene), _account(scene), stack=scene.stack, engine=engine)
    except FlowflareError as error:
        found = make_failed(scene.stack, engine, error)
    words = {**list_own_words(project), f"--stack {quote(scene.stack)}": "--stack <stack>"}
    return {"drift": found.model_dump(mode="json"), "words": words}


def _state(scene: "Scene") -> Any:
    from flowflare.engine.contract import read_state

    return read_state(scene.project, scene.environ, opened=False)


def _account(scene: "Scene") -> "Account":
    from flowflare.engine.access import base_url, token
    from flowflare.kinds.account import Account

    value = scene.project.values.get("flowflare:accountId")
    where, secret = base_url(scene.project, scene.environ), token(scene.project, scene.environ)
    run = str(scene.options.get("run", ""))
    key = (run, where, secret, value.text if value else "")
    if key not in _ACCOUNTS:
        for other in [one for one in _ACCOUNTS if one[0] != run]:
            del _ACCOUNTS[other]
        _ACCOUNTS[key] = Account(scene.api.open(where, secret), key[3])
    return _ACCOUNTS[key]
