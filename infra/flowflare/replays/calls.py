"""Call the functions of a Workflow's code, and record the calls of its steps."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from tree_sitter import Node

from flowflare.replays.literals import make_array, make_unknown, prefer, read_key
from flowflare.replays.module import Module
from flowflare.replays.steps import Choice, StepCall
from flowflare.replays.values import (
    Class,
    Function,
    Record,
    Scope,
    StepMethod,
    StepObject,
    Text,
    Unknown,
    Value,
    has_step,
    holds_step,
    make_digest,
    read_text,
    sign,
    sign_tokens,
)

#: Nodes that are evaluated at most; `run` of the example needs about 450.
MOST: Final = 20_000
_MOST_FOR_A_NAME: Final = 2_000
_WIDEST: Final = 60
#: esbuild's function that gives a function or class its name, and returns it.
_KEEP_NAME: Final = "__name"
#: Methods of arrays that call their first argument with each item.
_FOR_EACH: Final = ("map", "forEach", "flatMap", "filter", "find", "some", "every")
_T = TypeVar("_T")


class Calls:
    """Calls functions; expressions and statements are run by its subclasses.

    Attributes:
        items: the calls so far.
        returns: the return values of the running function, one for each `return`.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.items: list[StepCall | Choice] = []
        self.returns: list[Value] = []
        self.nodes_left = MOST
        self._running: list[int] = []

    def evaluate(self, node: Node, scope: Scope) -> Value:
        """Return the value of an expression, and record the steps that it calls."""
        raise NotImplementedError

    def get_field(self, value: Value, name: str) -> Value:
        """Return a field of a value."""
        raise NotImplementedError

    def list_items(self, value: Value) -> Iterator[Value]:
        """Return the items of an array."""
        raise NotImplementedError

    def make_unknown(self, node: Node, parts: Sequence[Value]) -> Unknown:
        """Describe an expression by its operators and its parts."""
        raise NotImplementedError

    def find_method(self, found: Class, name: str, this: Record) -> Function | None:
        """Find a method of a class."""
        raise NotImplementedError

    def read_property(self, node: Node, scope: Scope) -> str:
        """Return the name of the property that an expression reads."""
        raise NotImplementedError

    def run_body(self, body: Node, scope: Scope) -> None:
        """Run the statements of a function's body."""
        raise NotImplementedError

    def collect(self, run: Callable[[], _T]) -> tuple[list[StepCall | Choice], _T]:
        """Run code; return its calls instead of recording them, and its return value."""
        outer, self.items = self.items, []
        try:
            returned = run()
            return self.items, returned
        finally:
            self.items = outer

    def choose(self, *branches: Sequence[StepCall | Choice]) -> None:
        """Record alternative branches."""
        if any(branches):
            self.items.append(Choice(tuple(map(tuple, branches))))

    def settle(self, value: Value) -> Value:
        """Return the value of a postponed call, because a name depends on it."""
        return value.settle() if isinstance(value, Unknown) else value

    def evaluate_named(self, node: Node, scope: Scope) -> Value:
        """Return what a call returns; a call of `__name` returns what it names."""
        listed = node.child_by_field_name("arguments")
        if listed is None or read_text(node.child_by_field_name("function")) != _KEEP_NAME:
            return self.evaluate_call(node, scope)
        return self.evaluate(listed.named_children[0], scope)

    def evaluate_call(self, node: Node, scope: Scope) -> Value:
        """Return what a call returns, and record the steps that it calls."""
        callee = node.child_by_field_name("function") or node.child_by_field_name("constructor")
        listed = node.child_by_field_name("arguments")
        assert callee is not None
        called, this, method = self._evaluate_callee(callee, scope)
        nodes = [part for part in listed.named_children if part.type != "comment"] if listed else []
        args: list[Value] = []
        for part in nodes:
            value = self.evaluate(part, scope)
            is_spread = part.type == "spread_element"
            args += _list_fields(value) if is_spread else [value]
        if isinstance(this, StepMethod | Function) and method in ("bind", "call", "apply"):
            if method == "bind":
                return this
            called, this, nodes = this, args[0] if args else None, nodes[1:]
            args = _list_fields(args[1]) if method == "apply" and len(args) > 1 else args[1:]
        if isinstance(called, StepMethod):
            return self._record(called.name, nodes, args)
        if isinstance(called, Class):
            return self._construct(called, args)
        if isinstance(called, Function):
            return self._call_function(called, args, this)
        if isinstance(this, Record) and this.is_array and method in _FOR_EACH and args:
            return self._call_for_each(this, args[0])
        return self._call_unknown(node, called, args)

    def _evaluate_callee(self, node: Node, scope: Scope) -> tuple[Value, Value | None, str]:
        if node.type not in ("member_expression", "subscript_expression"):
            return self.evaluate(node, scope), None, ""
        holder = node.child_by_field_name("object")
        assert holder is not None
        this, name = self.evaluate(holder, scope), self.read_property(node, scope)
        return self.get_field(this, name), this, name

    def _record(self, method: str, nodes: Sequence[Node], args: Sequence[Value]) -> Value:
        name = self.settle(args[0]) if args else Text("")
        waits_for = ""
        if method == "sleep" and len(args) > 1:
            waits_for = sign(args[1])
        elif method == "waitForEvent" and len(args) > 1:
            waits_for = sign(self.settle(self.get_field(args[1], "type")))
        shown = " ".join(read_text(nodes[0]).split()) if nodes else ""
        self.items.append(
            StepCall(
                method,
                name.text if isinstance(name, Text) else None,
                shown if len(shown) <= _WIDEST else f"{shown[:_WIDEST]}...",
                sign(name),
                waits_for,
                make_digest(*map(sign_tokens, nodes[1:])),
            )
        )
        for callback in args[1:]:
            if isinstance(callback, Function):
                self.run_function(callback, [Unknown(lambda: "context")], None)
        return Unknown(lambda: make_digest("result", method, sign(name)))

    def _construct(self, found: Class, args: Sequence[Value]) -> Value:
        this = Record(made_by=found)
        constructor = self.find_method(found, "constructor", this)
        if constructor is not None and any(map(has_step, args)):
            self.run_function(constructor, args, this)
        return this

    def _call_function(self, called: Function, args: Sequence[Value], this: Value | None) -> Value:
        classes = [each for each in args if isinstance(each, Class)]
        if classes:
            return classes[0]  # a wrapper of a class
        if _may_call_steps(called, args, this):
            return self.run_function(called, args, this)
        # Most calls are the Workflow's work, whose code has no steps.
        return Unknown(
            lambda: sign(self._run_apart(called, args, this)),
            lambda: self._run_apart(called, args, this),
        )

    def _run_apart(self, called: Function, args: Sequence[Value], this: Value | None) -> Value:
        """Run a function without steps, whose value is part of a step's name."""
        before = self.nodes_left
        self.nodes_left = min(before, _MOST_FOR_A_NAME)
        try:
            _, returned = self.collect(lambda: self.run_function(called, args, this))
            if self.nodes_left > 0:
                return self.settle(returned)
        finally:
            self.nodes_left = before
        return Unknown(lambda: self.module.signature)

    def _call_for_each(self, items: Record, callback: Value) -> Value:
        if isinstance(callback, Function):
            each = enumerate(self.list_items(items))
            return make_array(
                [self.run_function(callback, [item, Text(str(at))], None) for at, item in each]
            )
        return Unknown(lambda: make_digest("each", sign(items), sign(callback)))

    def _call_unknown(self, node: Node, called: Value, args: Sequence[Value]) -> Value:
        """Call code that cannot be read. It may call functions that it gets, or steps."""
        for each in args:
            if isinstance(each, Class):
                return each
            if isinstance(each, Function) and has_step(each):
                self.run_function(each, [], None)
        result = self.make_unknown(node, [called, *args])
        if not any(map(holds_step, args)):
            return result
        shown = " ".join(read_text(node).split())[:_WIDEST]
        self.items.append(StepCall("call", None, shown, result.signature, "", ""))
        return StepObject()

    def run_function(self, called: Function, args: Sequence[Value], this: Value | None) -> Value:
        """Run a function with its arguments, and return what it returns."""
        node = called.node
        if node.id in self._running or self.nodes_left <= 0:
            return Unknown(lambda: make_digest("again", sign_tokens(node), *map(sign, args)))
        scope = Scope(called.scope, function=node)
        if this is not None and node.type != "arrow_function" and "this" not in called.scope.names:
            scope.names["this"] = this
        outer, self.returns = self.returns, []
        self._running.append(node.id)
        try:
            self._bind_parameters(node, args, scope)
            body = node.child_by_field_name("body")
            if body is None:
                return Unknown(lambda: "no body")
            if body.type != "statement_block":
                return self.evaluate(body, scope)
            self.run_body(body, scope)
            return self._join(node, self.returns)
        finally:
            self._running.pop()
            self.returns = outer

    def _join(self, node: Node, returned: Sequence[Value]) -> Value:
        """Return the common value, or a value that may call steps."""
        for value in returned:
            if len(returned) == 1 or has_step(value):
                return value
        if len({sign(value) for value in returned}) == 1:
            return returned[0]
        return Unknown(lambda: make_digest("either", sign_tokens(node), *map(sign, returned)))

    def _bind_parameters(self, node: Node, args: Sequence[Value], scope: Scope) -> None:
        alone = node.child_by_field_name("parameter")
        listed = node.child_by_field_name("parameters")
        patterns = [alone] if alone else listed.named_children if listed else []
        patterns = [pattern for pattern in patterns if pattern.type != "comment"]
        for at, pattern in enumerate(patterns):
            if pattern.type == "rest_pattern":
                self.bind(pattern.named_children[0], make_array(args[at:]), scope)
                continue
            is_given = at < len(args)
            value = args[at] if is_given else make_unknown("argument", str(at))
            self.bind(pattern, value, scope, is_given=is_given)

    def bind(
        self, pattern: Node, value: Value | None, scope: Scope, *, is_given: bool = True
    ) -> None:
        """Bind the names of a pattern to the parts of a value."""
        value = value if value is not None else Unknown(lambda: "undefined")
        if pattern.type in ("assignment_pattern", "object_assignment_pattern"):
            self._bind_default(pattern, value, scope, is_given=is_given)
        elif pattern.type == "object_pattern":
            for part in pattern.named_children:
                self._bind_part(part, value, scope)
        elif pattern.type == "array_pattern":
            for at, part in enumerate(pattern.named_children):
                self.bind(part, self.get_field(value, str(at)), scope)
        elif pattern.type == "rest_pattern":
            self.bind(pattern.named_children[0], value, scope)
        else:
            self._bind_name(read_text(pattern), value, scope)

    def _bind_default(self, pattern: Node, value: Value, scope: Scope, *, is_given: bool) -> None:
        left, right = (pattern.child_by_field_name(key) for key in ("left", "right"))
        assert left is not None
        assert right is not None
        if not is_given:
            value = self.evaluate(right, scope)
        elif isinstance(value, Unknown):
            value = prefer(value, self.evaluate(right, scope))
        self.bind(left, value, scope)

    def _bind_part(self, part: Node, value: Value, scope: Scope) -> None:
        if part.type == "rest_pattern":
            self.bind(part.named_children[0], value, scope)
            return
        key, inner = (part.child_by_field_name(name) for name in ("key", "value"))
        left = part.child_by_field_name("left")
        name = read_key(key) if key is not None else read_text(left or part)
        field = self.get_field(value, name)
        is_given = not (isinstance(value, Record) and name not in value.fields)
        self.bind(inner if inner is not None else part, field, scope, is_given=is_given)

    def _bind_name(self, name: str, value: Value, scope: Scope) -> None:
        changes = self.module.list_assignments(name, scope.function.node)
        if changes and not has_step(value) and not isinstance(value, Class):
            first, texts = value, [sign_tokens(change) for change in changes]
            value = Unknown(lambda: make_digest("assigned", sign(first), *texts))
        scope.names[name] = value


def _may_call_steps(called: Function, args: Sequence[Value], this: Value | None) -> bool:
    """Return whether a function sees the step object: an argument, a closure, or `this`."""
    if any(map(has_step, args)) or (this is not None and has_step(this)):
        return True
    scope = called.scope
    own = scope.names.get("this")
    is_method = own is not None and scope.parent is not None and scope.parent.parent is None
    return has_step(own) if is_method and own is not None else scope.parent is not None


def _list_fields(value: Value) -> list[Value]:
    """Return the items of an array that the code writes out; otherwise the value itself."""
    is_array = isinstance(value, Record) and value.is_array
    return list(value.fields.values()) if is_array and isinstance(value, Record) else [value]
