"""Only `engine/` knows that there are two engines: everybody else uses `engine.contract`."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.house.syntax import list_nodes

pytestmark = pytest.mark.xdist_group("syntax")  # one worker parses the modules

PACKAGE = Path(__file__).parents[2] / "infra" / "flowflare"
#: What tells the engines apart: their classes, the modules of these, and the old question.
TELLING = {"EmbeddedStack", "CliStack", "is_embedded"}
TELLING_MODULES = {"flowflare.engine.embedded.stack", "flowflare.engine.pulumi_cli.stack"}
#: Modules that may name an engine in a text, with the reason.
NAMING = {
    "config/engine.py": "defines the engines' names",
}


def list_modules() -> Iterator[tuple[str, tuple[ast.AST, ...]]]:
    """List the nodes of every module outside of `engine/`, by its path in the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("engine/"):
            yield name, list_nodes(path)


def names_of_engines(nodes: Iterable[ast.AST]) -> set[str]:
    """The names in a module that tell the engines apart, annotations in quotes too."""
    found = set()
    for node in nodes:
        match node:
            case ast.ImportFrom(module=str(module)) if module in TELLING_MODULES:
                found.add(module)
            case ast.alias(name=name) | ast.Name(id=name) | ast.Attribute(attr=name):
                found |= {name} & (TELLING | TELLING_MODULES)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found |= {name} & TELLING
            case ast.arg(annotation=ast.Constant(value=str(text))):
                found |= {name for name in TELLING if name in text}
            case _:
                pass
    return found


def test_no_module_outside_the_engine_asks_which_engine_runs_a_stack() -> None:
    found = {name: names for name, nodes in list_modules() if (names := names_of_engines(nodes))}
    assert not found, "use flowflare.engine.contract, or a property of config.engine.Engine"


def test_no_module_outside_the_engine_compares_the_name_of_an_engine() -> None:
    found = {
        name
        for name, nodes in list_modules()
        if any(isinstance(one, ast.Constant) and one.value == "embedded" for one in nodes)
    }
    assert found == NAMING.keys()


def test_no_module_imports_a_private_name_of_the_engine() -> None:
    found = [
        f"{name}: {alias.name}"
        for name, nodes in list_modules()
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flowflare.engine")
        for alias in node.names
        if alias.name.startswith("_")
    ]
    assert not found


def test_no_class_inherits_from_a_stack() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in list_nodes(path)
        if isinstance(node, ast.ClassDef)
        if TELLING & {base.id for base in node.bases if isinstance(base, ast.Name)}
    ]
    assert not found, "give the stack an engine.embedded.stack_state.Source instead"
