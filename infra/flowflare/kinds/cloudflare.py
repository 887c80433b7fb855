"""The classes of `pulumi_cloudflare` in use, without executing the rest of that package.

`import pulumi_cloudflare` runs 300,000 lines and costs 7 s of CPU. This module replaces the package
by a stand-in, which runs only the resource modules in use and their types. If a program uses any
other name of `pulumi_cloudflare`, the stand-in executes the whole package, and the modules that
were loaded before stay. If `pulumi_cloudflare` was imported first, it is used unchanged.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from flowflare.kinds.registry import KINDS
from flowflare.kinds.sliced_module import SlicedModule
from flowflare.kinds.spelling import snake

_PACKAGE = "pulumi_cloudflare"
_INPUTS, _OUTPUTS = "_inputs", "outputs"


def _modules(*, optional: bool) -> dict[str, str]:
    """Return the class of each module: `D1Database` of `d1_database`."""
    return {
        snake(kind.type.partition("/")[2].partition(":")[0]): kind.name
        for kind in KINDS
        if not kind.is_dynamic
        and isinstance(kind.apply, str)
        and isinstance(kind.settings, str) is optional
    }


_MODULES = _modules(optional=False)
#: Modules that only some clients need, which are loaded when a program declares their class.
_OPTIONAL_MODULES = _modules(optional=True)
#: The types of nested arguments in use.
_ARGUMENTS = (
    "WorkersCronTriggerScheduleArgs",
    "WorkersScriptBindingArgs",
    "WorkersScriptLimitsArgs",
    "WorkersScriptObservabilityArgs",
    "WorkersScriptObservabilityLogsArgs",
    "WorkersScriptObservabilityTracesArgs",
    "WorkersScriptPlacementArgs",
    "WorkersScriptTailConsumerArgs",
)
__all__ = sorted([*_MODULES.values(), *_OPTIONAL_MODULES.values(), *_ARGUMENTS])  # noqa: PLE0605 -- the stub has the names


class _StandIn(ModuleType):
    """`pulumi_cloudflare`, until a program uses more than the modules in use."""

    def __getattr__(self, name: str) -> Any:
        # The import system asks for `_utilities` here before it imports it.
        if name.startswith("_") and name != "__all__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        _become_whole(self)
        return getattr(self, name)


def _become_whole(stand_in: ModuleType) -> None:
    """Execute the package's `__init__`, which imports all of its modules."""
    # From here on it is a plain module: a missing name raises AttributeError.
    stand_in.__class__ = ModuleType
    for name in (_INPUTS, _OUTPUTS):
        types = sys.modules[f"{_PACKAGE}.{name}"]
        if isinstance(types, SlicedModule):
            types.load_all()
    source = Path(str(stand_in.__file__))
    code = compile(source.read_text(encoding="utf-8"), str(source), "exec")
    exec(code, vars(stand_in))  # noqa: S102 -- the installed package's own source


def _stand_in() -> ModuleType:
    """Load the modules in use into the stand-in, and put it into `sys.modules`."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {_PACKAGE!r}", name=_PACKAGE)
    package = _StandIn(_PACKAGE)
    package.__spec__ = spec
    package.__loader__ = spec.loader
    package.__file__ = spec.origin
    package.__package__ = _PACKAGE
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules[_PACKAGE] = package
    importlib.import_module(f"{_PACKAGE}._utilities")
    folder = Path(spec.origin).parent
    for name in (_OUTPUTS, _INPUTS):
        module = SlicedModule(f"{_PACKAGE}.{name}", folder / f"{name}.py")
        sys.modules[module.__name__] = module
        setattr(package, name, module)
        module.load_header()
    for module_name, prefix in _MODULES.items():
        _import_module(package, module_name, prefix)
    return package


def _import_module(package: ModuleType, module_name: str, prefix: str) -> None:
    """Import one resource module; its `from ._inputs import *` only gets its own types."""
    inputs: SlicedModule = getattr(package, _INPUTS)
    types = inputs.load(prefix)
    with inputs.exporting(types):
        module = importlib.import_module(f"{_PACKAGE}.{module_name}")
    for name in module.__all__:
        setattr(package, name, getattr(module, name))
    for name in types:
        setattr(package, name, getattr(inputs, name))


_package: Any = sys.modules.get(_PACKAGE) or _stand_in()

globals().update({name: getattr(_package, name) for name in (*_MODULES.values(), *_ARGUMENTS)})


def __getattr__(name: str) -> Any:
    """Load a class that not every program declares."""
    module = next((module for module, kind in _OPTIONAL_MODULES.items() if kind == name), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if isinstance(_package, _StandIn):
        _import_module(_package, module, name)
    return getattr(_package, name)
