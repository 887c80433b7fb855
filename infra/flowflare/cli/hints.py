"""Name the stack in use in the commands that errors suggest.

Errors are raised by code that does not know the command line, so the stack is added when a command
is printed.
"""

import re
from contextvars import ContextVar
from shlex import quote
from typing import Final

_DEFAULT: Final = "local"
_STACK: Final[ContextVar[str]] = ContextVar("_STACK", default=_DEFAULT)
#: A command with an option --stack, written without that option.
_COMMAND: Final = re.compile(
    r"(flowflare (?:up|preview|refresh|drift|adopt|destroy|outputs|order|doctor|unlock|render"
    r"|emulator start|secrets (?:set|status|rotate)|config (?:set|get|ls)"
    r"|migrations (?:baseline|lint|restore|status)))\b(?![^\n;`]* (?:-s|--stack)\b)"
)


def use_stack(stack: str) -> str:
    """Note the stack of this command, and return it."""
    _STACK.set(stack)
    return stack


def forget_stack() -> None:
    """Begin a command, which has not named a stack yet."""
    _STACK.set(_DEFAULT)


def name_stack(text: str) -> str:
    """Return a text whose suggested commands name the stack, unless it is the default one."""
    stack = _STACK.get()
    if stack == _DEFAULT:
        return text
    return _COMMAND.sub(lambda match: f"{match[1]} -s {quote(stack)}", text)
