"""Follow the code of a Workflow's `run`, as far as it shows which steps are called.

This is an interpreter of a few values: literals, functions, classes, objects and the step object.
Every branch is followed, every loop once. Helper functions are followed with their arguments, so
aliases, destructuring, closures and methods of classes need no rules of their own.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from tree_sitter import Node

from flowflare.replays.expressions import Expressions
from flowflare.replays.module import Module
from flowflare.replays.steps import Choice, StepCall
from flowflare.replays.values import (
    Class,
    Function,
    Record,
    Scope,
    StepObject,
    Unknown,
    make_digest,
    read_text,
    sign,
)

_ENTRYPOINT: Final = "cloudflare:workers"
_ENDS: Final = ("throw_statement", "break_statement", "continue_statement")
_FUNCTIONS: Final = ("function_declaration", "generator_function_declaration")
_VARIABLES: Final = ("lexical_declaration", "variable_declaration")
_LOOPS: Final = ("for_statement", "while_statement", "do_statement")


class UnreadableError(Exception):
    """The steps of a class cannot be read; the message says why."""


class Reader(Expressions):
    """Reads the steps of a module's classes."""

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        by_statement: dict[str, Callable[[Node, Scope], bool]] = {
            "statement_block": lambda node, scope: self._run_all(node.named_children, Scope(scope)),
            "if_statement": lambda node, scope: self._run_if(node, scope, ()),
            "switch_statement": self._run_switch,
            "for_in_statement": self._run_for_in,
            "try_statement": self._run_try,
            "return_statement": self._run_return,
            "class_declaration": self._declare_class,
        }
        by_statement |= dict.fromkeys(_VARIABLES, self._declare)
        by_statement |= dict.fromkeys(_LOOPS, self._run_loop)
        by_statement |= dict.fromkeys(_FUNCTIONS, lambda *_: False)
        self._by_statement = by_statement

    def read_class(self, name: str) -> Sequence[StepCall | Choice]:
        """Return the calls of the class that is exported under a name.

        Raises:
            UnreadableError: the class or its `run` is not in the module, or is not JavaScript.
        """
        local = self.module.exports.get(name)
        found = self.globals.find(local) if local else None
        if not isinstance(found, Class):
            raise UnreadableError(f"the class {name} is not found in the code")
        this = Record(made_by=found)
        run = self.find_method(found, "run", this)
        if run is None:
            if self._is_plain(found):
                return ()
            raise UnreadableError(f"{name} has no method `run` in the code")
        if run.node.has_error:
            raise UnreadableError(f"`run` of {name} is not valid JavaScript")
        self.run_function(run, [Unknown(lambda: "event"), StepObject()], this)
        if self.nodes_left <= 0:
            raise UnreadableError(f"`run` of {name} is too long to be followed")
        return self.items

    def _is_plain(self, found: Class) -> bool:
        """Return whether a class without `run` inherits none from code that cannot be read."""
        parent = self.find_parent(found)
        if parent is None:
            return True
        if isinstance(parent, Class):
            return self._is_plain(parent)
        heritage = next(part for part in found.node.children if part.type == "class_heritage")
        return self.module.imports.get(_read_root(heritage.named_children[0])) == _ENTRYPOINT

    def run_body(self, body: Node, scope: Scope) -> None:
        """Run the statements of a function's body."""
        self._run_all(body.named_children, scope)

    def run_statement(self, node: Node, scope: Scope) -> bool:
        """Run a statement; return whether the function ends there."""
        return self._by_statement.get(node.type, self._evaluate_parts)(node, scope)

    def _run_return(self, node: Node, scope: Scope) -> bool:
        given = [self.evaluate(child, scope) for child in node.named_children]
        self.returns.append(given[0] if given else Unknown(lambda: "undefined"))
        return True

    def _declare_class(self, node: Node, scope: Scope) -> bool:
        scope.names[read_text(node.child_by_field_name("name"))] = Class(node, scope)
        return False

    def _evaluate_parts(self, node: Node, scope: Scope) -> bool:
        for child in node.named_children:
            if child.type.endswith("_statement") or child.type == "statement_block":
                self.run_statement(child, scope)
            else:
                self.evaluate(child, scope)
        return node.type in _ENDS

    def _run_all(self, nodes: Sequence[Node], scope: Scope) -> bool:
        for node in nodes:
            if node.type in _FUNCTIONS:
                name = read_text(node.child_by_field_name("name"))
                scope.names[name] = Function(node, scope)
        for at, node in enumerate(nodes):
            if node.type == "if_statement":
                return self._run_if(node, scope, nodes[at + 1 :])
            if self.run_statement(node, scope):
                return True
        return False

    def _declare(self, node: Node, scope: Scope) -> bool:
        where = scope.function if node.type == "variable_declaration" else scope
        for declarator in node.named_children:
            name, value = (declarator.child_by_field_name(key) for key in ("name", "value"))
            if name is None:
                continue
            given = self.evaluate(value, scope) if value is not None else None
            if given is not None or name.type != "identifier":
                self.bind(name, given, where)
            else:
                where.names.setdefault(read_text(name), Unknown(lambda: "undefined"))
        return False

    def _run_if(self, node: Node, scope: Scope, rest: Sequence[Node]) -> bool:
        """Run both branches. Code after a branch that returns belongs to the other branch."""
        condition, then, other = (
            node.child_by_field_name(key) for key in ("condition", "consequence", "alternative")
        )
        if condition is not None:
            self.evaluate(condition, scope)
        first, then_ends = self.collect(
            lambda: then is not None and self.run_statement(then, scope)
        )
        branches = other.named_children if other is not None else []
        if then_ends:
            second, other_ends = self.collect(
                lambda: self._run_all([*branches, *rest], Scope(scope))
            )
            self.choose(first, second)
            return other_ends
        second, other_ends = self.collect(lambda: self._run_all(branches, Scope(scope)))
        if other_ends:
            more, ends = self.collect(lambda: self._run_all(rest, scope))
            self.choose([*first, *more], second)
            return ends
        self.choose(first, second)
        return self._run_all(rest, scope)

    def _run_switch(self, node: Node, scope: Scope) -> bool:
        value, body = (node.child_by_field_name(key) for key in ("value", "body"))
        assert value is not None
        assert body is not None
        self.evaluate(value, scope)
        inner = Scope(scope)
        branches = [
            self.collect(partial(self._run_all, case.named_children, inner))[0]
            for case in body.named_children
        ]
        self.choose(*branches, [])
        return False

    def _run_loop(self, node: Node, scope: Scope) -> bool:
        inner = Scope(scope)
        for child in node.named_children:
            if child.type.endswith(("_statement", "_declaration", "_block")):
                self.run_statement(child, inner)
            else:
                self.evaluate(child, inner)
        return False

    def _run_for_in(self, node: Node, scope: Scope) -> bool:
        left, right, body = (node.child_by_field_name(key) for key in ("left", "right", "body"))
        assert left is not None
        assert right is not None
        assert body is not None
        of = self.evaluate(right, scope)
        is_of = any(child.type == "of" for child in node.children)
        items = self.list_items(of) if is_of else [Unknown(lambda: make_digest("key", sign(of)))]
        for item in items:
            inner = Scope(scope)
            self.bind(left, item, inner)
            self.run_statement(body, inner)
        return False

    def _run_try(self, node: Node, scope: Scope) -> bool:
        """Run the block and its handlers: a replay may run all of them, one after the other."""
        for child in node.named_children:
            inner = Scope(scope)
            parameter = child.child_by_field_name("parameter")
            if parameter is not None:
                self.bind(parameter, Unknown(lambda: "error"), inner)
            body = child.child_by_field_name("body") or child
            self.run_statement(body, inner)
        return False


def _read_root(node: Node) -> str:
    """Return the first name of an expression: `workers` of `workers.WorkflowEntrypoint`."""
    return read_text(node).partition(".")[0]
