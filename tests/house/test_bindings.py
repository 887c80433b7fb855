"""The types of bindings: one list, each with a file, and no other module compares them."""

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest
from cloudflare.types.workers import script_update_params

from flowflare.kinds import cloudflare
from flowflare.kinds.bindings import compact
from flowflare.kinds.bindings.contract import BindingType
from flowflare.kinds.bindings.registry import BINDING_SCHEMAS, BINDING_TYPES
from flowflare.kinds.contract import Kind
from flowflare.kinds.registry import KINDS
from flowflare.redaction import texts
from tests.house.syntax import list_nodes

pytestmark = pytest.mark.xdist_group("syntax")  # one worker parses the modules

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "infra/flowflare"
FOLDER = PACKAGE / "kinds/bindings"
#: Modules of the folder that are not a type.
SHARED = {
    "__init__",
    "arguments",
    "binding",
    "compact",
    "contract",
    "registry",
    "workers",
    "wrangler",
}
#: Types that Cloudflare's own SDK, which is generated from the API reference, does not list.
BEYOND_THE_REFERENCE = {
    "tail_consumer": "a Tail Worker as a binding, which `PUT` accepts",
    "worker_loader": "wrangler uploads it for `worker_loaders`",
}
#: Types whose name is no other word: `kv_namespace`, but not `queue`.
UNMISTAKABLE = {name for name in BINDING_TYPES if "_" in name} | {"d1", "vectorize"}
OWN = [kind for kind in KINDS if kind.own is not None]


def list_provider_types() -> set[str]:
    """The types in the description of the installed provider, where `_` became `*`."""
    said = inspect.getsource(cloudflare.WorkersScriptBindingArgs.__init__)
    [line] = re.findall(
        r"kind of resource that the binding provides\.\s+Available values: (.*)", said
    )
    return {name.replace("*", "_") for name in re.findall(r'"([^"]+)"', line)}


def test_every_type_that_the_provider_accepts_is_in_the_list() -> None:
    accepted = {name for name, binding in BINDING_TYPES.items() if binding.is_in_provider}

    assert accepted == list_provider_types()


def test_every_type_of_the_api_reference_is_in_the_list() -> None:
    source = inspect.getsource(script_update_params)
    kinds = re.findall(r"^class \w+BindingKind.*?(?=^class|\Z)", source, re.MULTILINE | re.DOTALL)
    types = {
        name for kind in kinds for name in re.findall(r'type: Required\[Literal\["(\w+)', kind)
    }

    assert types == BINDING_TYPES.keys() - BEYOND_THE_REFERENCE.keys()


def test_every_file_of_a_type_is_in_the_list_under_its_own_name() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - SHARED

    for module in modules:
        binding = importlib.import_module(f"flowflare.kinds.bindings.{module}").BINDING
        assert BINDING_TYPES[module] is binding
    compactly = {name for name, binding in BINDING_TYPES.items() if name not in modules}
    declared = [value for name, value in vars(compact).items() if name.isupper()]
    flat = [each for value in declared for each in (value if isinstance(value, tuple) else [value])]
    assert compactly == {binding.name for binding in flat if isinstance(binding, BindingType)}


@pytest.mark.parametrize("name", BINDING_SCHEMAS)
def test_a_schema_takes_the_name_of_its_type(name: str) -> None:
    assert get_args(BINDING_SCHEMAS[name].model_fields["type"].annotation) == (name,)


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.name)
def test_a_store_that_a_binding_makes_refers_to_the_type_that_binds_it(kind: Kind) -> None:
    assert kind.own is not None
    binding = BINDING_TYPES[kind.own.bound_as]

    assert binding.target in (BINDING_SCHEMAS[binding.name].model_fields)


def test_redaction_which_cannot_import_the_list_knows_the_same_types() -> None:
    known = set(texts._BINDING_TYPE.pattern.split("|"))

    assert known <= BINDING_TYPES.keys()
    assert known >= BINDING_SCHEMAS.keys()


def test_no_other_module_names_a_binding_type() -> None:
    naming = {
        name
        for path in PACKAGE.rglob("*.py")
        if (name := path.relative_to(PACKAGE).as_posix()).split("/")[0] not in ("kinds", "emulator")
        and any(map(names_a_type, list_nodes(path)))
    }

    assert not naming


def names_a_type(node: ast.AST) -> bool:
    """Whether it is a word that only a type has, or a comparison of a `type` with any of them."""
    if isinstance(node, ast.Constant):
        return node.value in UNMISTAKABLE
    if not isinstance(node, ast.Compare):
        return False
    sides = [node.left, *node.comparators]
    words = {
        each.value for side in sides for each in ast.walk(side) if isinstance(each, ast.Constant)
    }
    return bool(words & BINDING_TYPES.keys()) and "type" in ast.unparse(node)
