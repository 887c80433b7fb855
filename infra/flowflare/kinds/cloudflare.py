"""The classes of `pulumi_cloudflare` in use, without executing the rest of that package.

`import pulumi_cloudflare` runs 300,000 lines and costs 7 s of CPU. This module replaces the package
by a stand-in, which runs the modules of our kinds when their classes are first used. If a program
uses any other name of `pulumi_cloudflare`, the stand-in executes the whole package, and the modules
that were loaded before stay. If `pulumi_cloudflare` was imported first, it is used unchanged.
"""

import importlib
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

from flowflare.kinds.registry import KINDS
from flowflare.kinds.sliced_module import SlicedModule
from flowflare.kinds.spelling import snake

_PACKAGE = "pulumi_cloudflare"
_INPUTS, _OUTPUTS = "_inputs", "outputs"


#: The module of each class: `d1_database` of `D1Database`.
_MODULES = {
    kind.name: snake(kind.type.partition("/")[2].partition(":")[0])
    for kind in KINDS
    if not kind.is_dynamic and isinstance(kind.apply, str)
}
#: The types of nested arguments in use.
_ARGUMENTS = (
    "WorkersCronTriggerScheduleArgs",
    "WorkersScriptBindingArgs",
)
__all__ = sorted([*_MODULES, *_ARGUMENTS])  # noqa: PLE0605 -- the stub has the names


_LOCK = threading.RLock()


class _StandIn(ModuleType):
    """`pulumi_cloudflare`, until a program uses more than the modules in use."""

    def __getattr__(self, name: str) -> Any:
        # The import system asks for `_utilities` here before it imports it.
        if name.startswith("_") and name != "__all__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        in_use = max((known for known in _MODULES if name.startswith(known)), key=len, default="")
        if in_use and in_use not in vars(self):
            _import_module(self, in_use)
        else:
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
    """Put the stand-in into `sys.modules`, with the two modules of types in slices."""
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
    return package


def _import_module(package: ModuleType, name: str) -> None:
    """Import the module of one class; its `from ._inputs import *` only gets its own types."""
    inputs: SlicedModule = getattr(package, _INPUTS)
    types = inputs.load(name)
    with _LOCK, inputs.exporting(types):
        module = importlib.import_module(f"{_PACKAGE}.{_MODULES[name]}")
    for exported in module.__all__:
        setattr(package, exported, getattr(module, exported))
    for type_ in types:
        setattr(package, type_, getattr(inputs, type_))


_package: Any = sys.modules.get(_PACKAGE) or _stand_in()


def __getattr__(name: str) -> Any:
    """Return a class; its module is loaded now if it was not yet."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_package, name)
