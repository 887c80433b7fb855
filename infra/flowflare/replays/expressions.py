"""Evaluate the expressions of a Workflow's code, and record the calls of its steps."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from tree_sitter import Node

from flowflare.replays.calls import Calls
from flowflare.replays.literals import (
    either,
    join_texts,
    make_array,
    read_key,
    unescape,
    unquote,
)
from flowflare.replays.module import Module
from flowflare.replays.values import (
    METHODS,
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
    make_digest,
    read_text,
    sign,
    sign_tokens,
)

_FUNCTIONS: Final = ("arrow_function", "function_expression", "generator_function")
_PASSED_ON: Final = (
    *("await_expression", "parenthesized_expression", "sequence_expression", "spread_element"),
)
_NAMES: Final = ("identifier", "shorthand_property_identifier", "this", "super")
_LITERALS: Final = ("number", "true", "false", "null", "undefined")
_MOST_ITEMS: Final = 50
_MOST_PARENTS: Final = 20


class _Globals(Scope):
    """The module's own names, each evaluated when it is first used."""

    def __init__(self, module: Module, evaluate: "Callable[[Node, Scope], Value]") -> None:
        super().__init__()
        self._module, self._evaluate = module, evaluate

    def look_up(self, name: str) -> Value | None:
        if name in self.names or name not in self._module.declarations:
            return self.names.get(name)
        node = self._module.declarations[name]
        self.names[name] = Unknown(lambda: make_digest("circle", name))
        value = node.child_by_field_name("value")
        if node.type == "class_declaration":
            self.names[name] = Class(node, self)
        elif node.type != "variable_declarator":
            self.names[name] = Function(node, self)
        elif name in self._module.assignments:
            texts = [sign_tokens(each) for each in (node, *self._module.assignments[name])]
            self.names[name] = Unknown(lambda: make_digest(*texts))
        elif value is not None:
            self.names[name] = self._evaluate(value, self)
        return self.names[name]


class Expressions(Calls):
    """Evaluates expressions; statements are run by its subclass."""

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        self.globals = _Globals(module, self.evaluate)
        by_type: dict[str, Callable[[Node, Scope], Value]] = {
            "string": lambda node, _: Text(unquote(node)),
            "template_string": self._evaluate_template,
            "class": Class,
            "object": self._evaluate_object,
            "array": lambda node, scope: make_array(
                [self.evaluate(part, scope) for part in node.named_children]
            ),
            "member_expression": self._evaluate_member,
            "subscript_expression": self._evaluate_member,
            "call_expression": self.evaluate_named,
            "new_expression": self.evaluate_call,
            "assignment_expression": self._evaluate_assignment,
            "ternary_expression": self._evaluate_ternary,
            "binary_expression": self._evaluate_binary,
        }
        by_type |= dict.fromkeys(_NAMES, self._evaluate_name)
        by_type |= dict.fromkeys(_FUNCTIONS, Function)
        by_type |= dict.fromkeys(_PASSED_ON, self._pass_on)
        by_type |= dict.fromkeys(_LITERALS, lambda node, _: Text(read_text(node)))
        self._by_type = by_type

    def evaluate(self, node: Node, scope: Scope) -> Value:
        """Return the value of an expression, and record the steps that it calls."""
        self.nodes_left -= 1
        if self.nodes_left <= 0:
            return Unknown(lambda: "too long")
        return self._by_type.get(node.type, self._evaluate_other)(node, scope)

    def _evaluate_other(self, node: Node, scope: Scope) -> Value:
        return self.make_unknown(node, [self.evaluate(part, scope) for part in node.named_children])

    def _pass_on(self, node: Node, scope: Scope) -> Value:
        """Evaluate an expression that is its last part: in parentheses, awaited, in a sequence."""
        return [self.evaluate(part, scope) for part in node.named_children][-1]

    def make_unknown(self, node: Node, parts: Sequence[Value]) -> Unknown:
        """Describe an expression by its operators and its parts."""
        names = {child.id for child in node.named_children}
        words = [read_text(child) for child in node.children if child.id not in names]
        return Unknown(lambda: make_digest(node.type, *words, *map(sign, parts)))

    def _evaluate_name(self, node: Node, scope: Scope) -> Value:
        name = read_text(node)
        found = scope.find(name)
        return found if found is not None else Unknown(lambda: make_digest("name", name))

    def _evaluate_template(self, node: Node, scope: Scope) -> Value:
        parts: list[Value] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                parts.append(self.settle(self.evaluate(child.named_children[0], scope)))
            else:
                parts.append(Text(unescape(read_text(child))))
        return join_texts(parts) or Unknown(lambda: make_digest("template", *map(sign, parts)))

    def _evaluate_object(self, node: Node, scope: Scope) -> Value:
        found = Record()
        for child in node.named_children:
            if child.type == "pair":
                key, part = (child.child_by_field_name(name) for name in ("key", "value"))
                if part is not None:
                    found.fields[read_key(key)] = self.evaluate(part, scope)
            elif child.type == "method_definition":
                name = read_text(child.child_by_field_name("name"))
                found.fields[name] = Function(child, scope)
            elif child.type == "spread_element":
                value = self.evaluate(child.named_children[0], scope)
                if isinstance(value, Record):
                    found.fields |= value.fields
                else:
                    found.fields["..."] = value
            elif child.type == "shorthand_property_identifier":
                found.fields[read_text(child)] = self._evaluate_name(child, scope)
        return found

    def _evaluate_member(self, node: Node, scope: Scope) -> Value:
        holder = node.child_by_field_name("object")
        assert holder is not None
        value, name = self.evaluate(holder, scope), self.read_property(node, scope)
        return self.get_field(value, name)

    def read_property(self, node: Node, scope: Scope) -> str:
        """Return the name of the property that an expression reads."""
        key = node.child_by_field_name("property")
        if key is not None:
            return read_text(key)
        index = node.child_by_field_name("index")
        value = self.evaluate(index, scope) if index is not None else Text("")
        return value.text if isinstance(value, Text) else f"[{sign(value)}]"

    def get_field(self, value: Value, name: str) -> Value:
        """Return a field of a value."""
        if isinstance(value, StepObject):
            return StepMethod(name) if name in METHODS else StepObject()
        if isinstance(value, Record):
            if name in value.fields:
                return value.fields[name]
            if value.made_by and (method := self.find_method(value.made_by, name, value)):
                return method
        return Unknown(lambda: make_digest("field", sign(value), name))

    def find_parent(self, found: Class) -> Value | None:
        """Return the class that a class extends; None if it extends none."""
        heritage = [child for child in found.node.children if child.type == "class_heritage"]
        return self.evaluate(heritage[0].named_children[0], found.scope) if heritage else None

    def find_method(self, found: Class, name: str, this: Record) -> Function | None:
        """Find a method of a class, or of the classes that it extends; `this` is bound to it."""
        for _ in range(_MOST_PARENTS):
            parent = self.find_parent(found)
            member = _find_member(found, name)
            if member is not None:
                scope = Scope(found.scope, function=member)
                scope.names["this"] = this
                if isinstance(parent, Class):
                    scope.names["super"] = Record(this.fields, parent)
                value = member.child_by_field_name("value")
                return Function(value if value is not None else member, scope)
            if not isinstance(parent, Class):
                return None
            found = parent
        return None

    def _evaluate_assignment(self, node: Node, scope: Scope) -> Value:
        left, right = (node.child_by_field_name(key) for key in ("left", "right"))
        assert left is not None
        assert right is not None
        value = self.evaluate(right, scope)
        if left.type == "identifier" and has_step(value):
            scope.assign(read_text(left), value)
        holder = left.child_by_field_name("object")
        record = self.evaluate(holder, scope) if holder is not None else None
        if isinstance(record, Record):
            name = self.read_property(left, scope)
            old = record.fields.get(name)
            if old is not None and not has_step(value):
                value = either(old, value)
            record.fields[name] = value
        return value

    def _evaluate_ternary(self, node: Node, scope: Scope) -> Value:
        condition, *branches = node.named_children
        parts = [self.evaluate(condition, scope)]
        found = [self.collect(partial(self.evaluate, branch, scope)) for branch in branches]
        parts += [value for _, value in found]
        self.choose(*(items for items, _ in found))
        return self._pick(node, parts, parts[1:])

    def _evaluate_binary(self, node: Node, scope: Scope) -> Value:
        left, right = (node.child_by_field_name(key) for key in ("left", "right"))
        operator = read_text(node.child_by_field_name("operator"))
        assert left is not None
        assert right is not None
        first = self.evaluate(left, scope)
        if operator not in ("||", "&&", "??"):
            parts = [self.settle(first), self.settle(self.evaluate(right, scope))]
            joined = join_texts(parts) if operator == "+" else None
            return joined or self.make_unknown(node, parts)
        parts = [first]
        items, _ = self.collect(lambda: parts.append(self.evaluate(right, scope)))
        self.choose(items, [])
        return self._pick(node, parts, parts)

    def _pick(self, node: Node, parts: Sequence[Value], values: Sequence[Value]) -> Value:
        """Return a value that may call steps, or the common value."""
        for value in values:
            if has_step(value):
                return value
        if len({sign(value) for value in values}) == 1:
            return values[0]
        return self.make_unknown(node, parts)

    def list_items(self, value: Value) -> Iterator[Value]:
        """Return the items of an array that the code writes out; otherwise one unknown item."""
        if isinstance(value, Record) and value.is_array and len(value.fields) <= _MOST_ITEMS:
            yield from list(value.fields.values())
        else:
            yield Unknown(lambda: make_digest("item", sign(value)))


def _find_member(found: Class, name: str) -> Node | None:
    """Find a method of a class, or a field that is a function."""
    body = found.node.child_by_field_name("body")
    for member in body.named_children if body is not None else ():
        key = member.child_by_field_name("name") or member.child_by_field_name("property")
        value = member.child_by_field_name("value")
        is_function = member.type == "method_definition" or (
            value is not None and value.type in _FUNCTIONS
        )
        if is_function and read_text(key) == name:
            return member
    return None
