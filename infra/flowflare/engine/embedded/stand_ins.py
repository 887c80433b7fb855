"""Give a recording stand-ins for configuration from Pulumi ESC, which a recording does not read.

Only Pulumi Cloud knows which keys an environment has. So a key gets a stand-in if the program
requires it and the files lack it; then the program is recorded again with the stand-in.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flowflare.engine.configuration import Configuration
from flowflare.errors import FlowflareError

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.engine.embedded.recording import RecordedProgram

_ACCOUNT: Final = "flowflare:accountId"
#: How many keys a program may require one after the other.
_MOST: Final = 100
# A text that `pulumi.Config` accepts for each type (`ConfigTypeError.expect_type`).
_TYPED: Final = {"int": "0", "float": "0", "bool": "false", "JSON object": "{}"}
# The stand-in for an account's ID: it has the right form and is the same in every commit.
_AN_ACCOUNT: Final = hashlib.sha256(_ACCOUNT.encode()).hexdigest()[:32]


def with_stand_ins(
    project: "Project", config: Configuration, record: Callable[[Configuration], "RecordedProgram"]
) -> "RecordedProgram":
    """Record a stack, with stand-ins for the keys of its environment.

    Args:
        record: records the program with a configuration.

    Returns:
        The recording; `stand_ins` has each stand-in that looks like a real value, with the words
        to show instead.

    Raises:
        FlowflareError: the program failed in another way.
    """
    if project.cli_key("environment") is None:
        return record(config)
    shown: dict[str, str] = {}
    if _ACCOUNT not in config.texts:
        shown[_AN_ACCOUNT] = _words(_ACCOUNT)
        config = _with(config, _ACCOUNT, _AN_ACCOUNT)
    for _ in range(_MOST):
        try:
            return replace(record(config), stand_ins=shown)
        except FlowflareError as error:
            asked = _find_missing(error, config.texts)
            if asked is None:
                raise
            config = _with(config, *asked)
    return record(config)


def _with(config: Configuration, key: str, text: str) -> Configuration:
    return Configuration({**config.texts, key: text}, config.secret)


def _words(key: str) -> str:
    return f"[{key} of the environment]"


def _find_missing(error: BaseException, texts: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the key that the program requires, with a stand-in of the type that it expects."""
    from pulumi.config import ConfigMissingError, ConfigTypeError

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConfigMissingError) and cause.key not in texts:
            return cause.key, _words(cause.key)
        if isinstance(cause, ConfigTypeError) and texts.get(cause.key) == _words(cause.key):
            typed = _TYPED.get(str(cause.expect_type))
            return None if typed is None else (cause.key, typed)
        cause = cause.__cause__ or cause.__context__
    return None
