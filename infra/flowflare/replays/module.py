"""Parse a Worker's module: its declarations, imports and exports."""

from functools import cached_property

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from flowflare.replays.values import read_text, sign_tokens

_LANGUAGE = Language(tree_sitter_javascript.language())
_ASSIGNED = Query(
    _LANGUAGE,
    "(assignment_expression left: (identifier) @name)"
    "(augmented_assignment_expression left: (identifier) @name)"
    "(update_expression argument: (identifier) @name)",
)
_FUNCTIONS = ("function_declaration", "generator_function_declaration", "class_declaration")
_VARIABLES = ("lexical_declaration", "variable_declaration")


class Module:
    """One ES module.

    Args:
        code: its JavaScript. Parts that are not JavaScript become nodes with `has_error`.

    Attributes:
        declarations: the module's functions, classes and variables by name.
        imports: the module that each imported name comes from.
        exports: the local names of the exports, by exported name.
    """

    def __init__(self, code: str) -> None:
        self.declarations: dict[str, Node] = {}
        self.imports: dict[str, str] = {}
        self.exports: dict[str, str] = {}
        self._root = Parser(_LANGUAGE).parse(code.encode("utf-8", "replace")).root_node
        for statement in self._root.named_children:
            self._read_statement(statement)

    @cached_property
    def assignments(self) -> dict[str, list[Node]]:
        """The assignments to each name, anywhere in the module."""
        found: dict[str, list[Node]] = {}
        for node in QueryCursor(_ASSIGNED).captures(self._root).get("name", ()):
            if node.parent is not None:
                found.setdefault(read_text(node), []).append(node.parent)
        return found

    @cached_property
    def signature(self) -> str:
        """A text that is equal for equal modules."""
        return sign_tokens(self._root)

    def list_assignments(self, name: str, function: Node | None) -> list[Node]:
        """List the assignments to a name in a function; in the whole module for none."""
        found = self.assignments.get(name, [])
        if function is None:
            return found
        start, end = function.start_byte, function.end_byte
        return [node for node in found if start <= node.start_byte < end]

    def _read_statement(self, node: Node) -> None:
        if node.type == "import_statement":
            source = read_text(node.child_by_field_name("source")).strip("\"'")
            self.imports |= dict.fromkeys(_list_imported(node), source)
        elif node.type == "export_statement":
            self._read_export(node)
        elif node.type in _FUNCTIONS:
            self.declarations[read_text(node.child_by_field_name("name"))] = node
        elif node.type in _VARIABLES:
            for declarator in node.named_children:
                name = declarator.child_by_field_name("name")
                if name is not None and name.type == "identifier":
                    self.declarations[read_text(name)] = declarator

    def _read_export(self, node: Node) -> None:
        declaration = node.child_by_field_name("declaration")
        if declaration is not None:
            before = set(self.declarations)
            self._read_statement(declaration)
            for name in self.declarations.keys() - before:
                self.exports[name] = name
        for clause in node.named_children:
            for part in clause.named_children if clause.type == "export_clause" else ():
                local = read_text(part.child_by_field_name("name"))
                self.exports[read_text(part.child_by_field_name("alias")) or local] = local


def _list_imported(node: Node) -> list[str]:
    """List the local names of an import."""
    found, waiting = [], [child for child in node.named_children if child.type == "import_clause"]
    while waiting:
        part = waiting.pop()
        if part.type == "import_specifier":
            alias = part.child_by_field_name("alias") or part.child_by_field_name("name")
            found.append(read_text(alias))
        elif part.type == "identifier":
            found.append(read_text(part))
        else:
            waiting += part.named_children
    return found
