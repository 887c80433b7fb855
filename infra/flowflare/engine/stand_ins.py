"""Gives a recording stand-ins for configuration that comes from Pulumi ESC, which it does not read.

Which keys an environment has is not known without asking Pulumi Cloud. So a key gets a stand-in
when the program requires it and the files lack it: the program is recorded again with it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flowflare.engine.configuration import Configuration
from flowflare.errors import FlowflareError

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.engine.recording import Recorded

_ACCOUNT: Final = "flowflare:accountId"
#: Keys that a program may require one after the other.
_MOST: Final = 100
# What `pulumi.Config` takes for a type (`ConfigTypeError.expect_type`).
_TYPED: Final = {"int": "0", "float": "0", "bool": "false", "JSON object": "{}"}
# Stands for an account's ID: of its form, and the same in every commit.
_AN_ACCOUNT: Final = hashlib.sha256(_ACCOUNT.encode()).hexdigest()[:32]


def with_stand_ins(
    project: "Project", config: Configuration, record: Callable[[Configuration], "Recorded"]
) -> "Recorded":
    """Record a stack, with stand-ins for what its environment has.

    Args:
        project: the project seen through the stack.
        config: its configuration.
        record: records the program with a configuration.

    Returns:
        The recording; `stand_ins` has each stand-in that could be taken for a value, with the
        words to show instead.

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
            asked = _asked(error, config.texts)
            if asked is None:
                raise
            config = _with(config, *asked)
    return record(config)


def _with(config: Configuration, key: str, text: str) -> Configuration:
    return Configuration({**config.texts, key: text}, config.secret)


def _words(key: str) -> str:
    return f"[{key} of the environment]"


def _asked(error: BaseException, texts: Mapping[str, str]) -> tuple[str, str] | None:
    """The key that the program requires, with a stand-in of the type that it wants."""
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
