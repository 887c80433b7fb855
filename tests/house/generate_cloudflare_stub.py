"""Generate infra/flowflare/kinds/cloudflare.pyi: the classes in use of pulumi_cloudflare.

mypy does not read that package, whose 300,000 lines would cost it minutes. The stub has the
arguments and outputs of the few classes that `kinds/cloudflare.py` loads, read from the
installed package's syntax tree, so that mypy refuses a misspelt one.
"""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from flowflare.kinds.cloudflare import _MODULES, __all__

STUB = Path(__file__).parents[2] / "infra" / "flowflare" / "kinds" / "cloudflare.pyi"
_HEAD = '''"""The classes in use of `pulumi_cloudflare`, for mypy; `make types` writes this file."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
'''


def stub() -> str:
    """The text of the stub."""
    package = _package()
    parts = [_HEAD]
    for name in sorted(__all__):
        module = _MODULES.get(name)
        if module is None:
            arguments = _function(_class(package / "_inputs.py", name), "__init__")
            parts.append(f"class {name}:\n{_constructor(arguments)}")
            continue
        found = _class(package / f"{module}.py", name)
        constructor = _constructor(_function(found, "_internal_init"))
        parts.append(f"class {name}(pulumi.CustomResource):\n{constructor}{_outputs(found)}")
    return "\n".join(parts)


def _package() -> Path:
    spec = importlib.util.find_spec("pulumi_cloudflare")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _class(file: Path, name: str) -> ast.ClassDef:
    """Parse one class: the whole of `_inputs.py` would take 8 s of CPU."""
    text = file.read_text("utf-8")
    start = re.search(rf"^class {name}\b", text, re.MULTILINE)
    assert start, f"{file.name} has no class {name}"
    end = re.compile(r"^\S", re.MULTILINE).search(text, start.end())
    [found] = ast.parse(text[start.start() : end.start() if end else None]).body
    assert isinstance(found, ast.ClassDef)
    return found


def _function(parent: ast.ClassDef, name: str) -> ast.FunctionDef:
    found = [
        node for node in parent.body if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return found[-1]  # the overloads come first


def _constructor(function: ast.FunctionDef) -> str:
    """A constructor whose arguments are the package's, without those that are Pulumi's own."""
    given = function.args
    head = [f"{one.arg}: {_type(one)}" for one in given.args[1:2] if one.arg == "resource_name"]
    named = [*given.args[1:], *given.kwonlyargs]
    skipped = {"resource_name", "__props__"}
    rest = [
        f"{one.arg}: {_type(one)}{_default(function, one)}"
        for one in named
        if one.arg not in skipped
    ]
    lines = ["self", *head, "*", *rest]
    return (
        "    def __init__(\n"
        + "".join(f"        {line},\n" for line in lines)
        + "    ) -> None: ...\n"
    )


def _default(function: ast.FunctionDef, argument: ast.arg) -> str:
    """What makes an argument optional; those of the package come without order."""
    given = function.args
    positional = given.args[len(given.args) - len(given.defaults) :]
    optional = {one.arg for one in positional} | {
        one.arg
        for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if default is not None
    }
    return " = ..." if argument.arg in optional else ""


def _outputs(found: ast.ClassDef) -> str:
    return "".join(_properties(found))


def _properties(found: ast.ClassDef) -> Iterator[str]:
    for node in found.body:
        if not isinstance(node, ast.FunctionDef) or node.returns is None:
            continue
        if any(ast.unparse(decorator) == "_builtins.property" for decorator in node.decorator_list):
            kind = _plain(node.returns)
            yield f"    {node.name}: {kind}\n"


def _type(argument: ast.arg) -> str:
    assert argument.annotation is not None
    return _plain(argument.annotation)


def _plain(annotation: ast.expr) -> str:
    return ast.unparse(_InTheStubsWords().visit(annotation))


class _InTheStubsWords(ast.NodeTransformer):
    """Rewrites an annotation; types that the stub does not have are `Any`."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """`_builtins.str` is `str`."""
        if isinstance(node.value, ast.Name) and node.value.id == "_builtins":
            return ast.Name(node.attr)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A class by its name in quotes; a stub needs no quotes."""
        if isinstance(node.value, str):
            return ast.Name(node.value if node.value in __all__ else "Any")
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """`Optional[X]` is `X | None`; of a class, its mapping and its output, the class."""
        generic = ast.unparse(node.value)
        if generic == "Optional":
            return ast.BinOp(self.visit(node.slice), ast.BitOr(), ast.Constant(None))
        if generic == "Union" and isinstance(node.slice, ast.Tuple):
            return self.visit(node.slice.elts[0])
        node.slice = self.visit(node.slice)
        return node


if __name__ == "__main__":
    STUB.write_text(stub(), "utf-8")
