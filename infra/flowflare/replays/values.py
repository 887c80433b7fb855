"""Define the values that a step's name is computed from, as far as the code shows them."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from tree_sitter import Node

#: The methods of a Workflow's `step` that store a result under the step's name.
METHODS: Final = ("do", "sleep", "sleepUntil", "waitForEvent")
_DEEPEST: Final = 4


@dataclass(frozen=True)
class Text:
    """A string, a number or another literal."""

    text: str


@dataclass(frozen=True)
class StepObject:
    """The Workflow's `step`, or an object that code we cannot follow made from it."""


@dataclass(frozen=True)
class StepMethod:
    """A method of the step object: `const { do: run } = step`."""

    name: str


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the code.

    Attributes:
        scope: the names that it sees.
    """

    node: Node
    scope: "Scope"


@dataclass(frozen=True, eq=False)
class Class:
    """A class of the code."""

    node: Node
    scope: "Scope"


@dataclass(eq=False)
class Record:
    """An object or an array whose fields are known; an instance, if it has a class."""

    fields: "dict[str, Value]" = field(default_factory=dict)
    made_by: Class | None = None
    is_array: bool = False


class Unknown:
    """A value that is not known before the code runs.

    Args:
        describe: returns a text that is equal for values which are computed in the same way.
        find: computes the value by running a function; None if that is not possible.
    """

    def __init__(
        self, describe: Callable[[], str], find: "Callable[[], Value] | None" = None
    ) -> None:
        self._describe, self._find = describe, find

    def settle(self) -> "Value":
        """Return the value if it can be computed; otherwise this object."""
        return self if self._find is None else self._find()

    @cached_property
    def signature(self) -> str:
        """What the value is computed from."""
        return self._describe()


Value = Text | StepObject | StepMethod | Function | Class | Record | Unknown


class Scope:
    """The names of a block, of a function or of the module.

    Args:
        parent: the scope around it.
        function: the function that it belongs to, if `var` belongs to this scope.
    """

    def __init__(self, parent: "Scope | None" = None, function: Node | None = None) -> None:
        self.names: dict[str, Value] = {}
        self.parent, self.node = parent, function

    def find(self, name: str) -> Value | None:
        """Return what the name is bound to; None if it is not a name of the code."""
        for scope in self._list_outwards():
            if (value := scope.look_up(name)) is not None:
                return value
        return None

    def look_up(self, name: str) -> Value | None:
        """Return what the name is bound to in this scope alone."""
        return self.names.get(name)

    def assign(self, name: str, value: Value) -> None:
        """Bind the name where it was declared."""
        for scope in self._list_outwards():
            if name in scope.names or scope.parent is None:
                scope.names[name] = value
                return

    @property
    def function(self) -> "Scope":
        """The scope of the function around it."""
        return next(each for each in self._list_outwards() if each.node or each.parent is None)

    def _list_outwards(self) -> "Iterator[Scope]":
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


def make_digest(*parts: str) -> str:
    """Return a short text that is equal for equal parts."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def sign(value: Value, depth: int = 0) -> str:
    """Return a text that is equal for values which are computed in the same way."""
    if isinstance(value, Unknown):
        return value.signature
    if isinstance(value, Record) and depth < _DEEPEST:
        parts = [f"{key}={sign(part, depth + 1)}" for key, part in sorted(value.fields.items())]
        return make_digest(*parts)
    if isinstance(value, Function | Class):
        return f"code {sign_tokens(value.node)}"
    return f"{type(value).__name__} {getattr(value, 'text', '')}"


def sign_tokens(node: Node) -> str:
    """Return the digest of a node's tokens, without spaces and comments."""
    return make_digest(*_list_tokens(node))


def _list_tokens(node: Node) -> Iterator[str]:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part.type == "comment":
            continue
        if part.child_count == 0 or part.type in ("string", "template_string", "regex"):
            yield read_text(part)
        else:
            waiting += reversed(part.children)


def read_text(node: Node | None) -> str:
    """Return the text of a node; empty for none."""
    return node.text.decode("utf-8", "replace") if node is not None and node.text else ""


def holds_step(value: Value, depth: int = 0) -> bool:
    """Return whether a value is the step object, or an object that has it."""
    if isinstance(value, Record) and depth < _DEEPEST:
        return any(holds_step(each, depth + 1) for each in value.fields.values())
    return isinstance(value, StepObject | StepMethod)


def has_step(value: Value, depth: int = 0) -> bool:
    """Return whether code that gets the value may call steps."""
    if isinstance(value, Record):
        fields = value.fields.values()
        return depth == _DEEPEST or any(has_step(each, depth + 1) for each in fields)
    if isinstance(value, Function):
        return value.scope.parent is not None
    return isinstance(value, StepObject | StepMethod)
