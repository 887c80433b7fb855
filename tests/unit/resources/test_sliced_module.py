"""A generated module whose classes are executed one by one."""

import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType

import pytest

from flowflare.kinds.sliced_module import SlicedModule
from tests.support.waiting import PATIENCE

SOURCE = '''
import sys
executed = []

__all__ = [
    'One',
    'OneArgs',
    'Two',
]

class One:
    executed.append("One")
    """
to the margin
    """

@pulumi.input_type
class OneArgs:
    executed.append("OneArgs")

class Two:
    executed.append("Two")
    def fail(self):
        raise ValueError("here")
'''


@pytest.fixture
def module(tmp_path: Path) -> Iterator[SlicedModule]:
    path = tmp_path / "sliced.py"
    path.write_text(textwrap.dedent(SOURCE))
    module = SlicedModule("sliced", path)
    vars(module)["pulumi"] = ModuleType("pulumi")
    vars(module)["pulumi"].input_type = lambda cls: cls
    sys.modules["sliced"] = module
    module.load_header()
    yield module
    del sys.modules["sliced"]


def test_a_class_is_executed_on_first_use(module: SlicedModule) -> None:
    assert module.executed == []
    assert module.Two is module.Two
    assert module.executed == ["Two"]
    assert module.One.__module__ == "sliced"


def test_a_second_thread_waits_for_a_class_that_is_being_executed(module: SlicedModule) -> None:
    """The second thread asks for it while the first runs the class body."""
    asks = threading.Event()
    answers: list[object] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is SlicedModule.__getattr__.__code__:
            asks.set()

    def ask() -> None:
        sys.setprofile(note)
        answers.append(getattr(module, "One", "no such attribute"))

    class Executed(list[str]):
        def append(self, name: str) -> None:
            other.start()
            assert asks.wait(PATIENCE)
            super().append(name)

    other = threading.Thread(target=ask)
    vars(module)["executed"] = Executed()
    first = module.One
    other.join(PATIENCE)
    assert answers == [first]
    assert module.executed == ["One"]


def test_classes_with_a_prefix(module: SlicedModule) -> None:
    assert module.load("One") == ["One", "OneArgs"]
    assert module.executed == ["One", "OneArgs"]


def test_classes_with_a_prefix_are_compiled_at_once(module: SlicedModule) -> None:
    compiled = []

    def note(_frame: FrameType, event: str, function: object) -> None:
        if event == "c_call" and function is compile:
            compiled.append(event)

    sys.setprofile(note)
    try:
        module.load("One")
    finally:
        sys.setprofile(None)
    assert len(compiled) == 1


def test_a_star_import_gets_everything_or_the_exported_names(module: SlicedModule) -> None:
    some: dict[str, object] = {}
    with module.exporting(["One"]):
        exec("from sliced import *", some)
    assert set(some) - {"__builtins__"} == {"One"}
    everything: dict[str, object] = {}
    exec("from sliced import *", everything)
    assert set(everything) - {"__builtins__"} == {"One", "OneArgs", "Two"}
    assert module.executed == ["One", "OneArgs", "Two"]
    assert everything["One"] is some["One"]
    assert {"One", "OneArgs", "Two"} <= set(dir(module))


@pytest.mark.parametrize("everything", [True, False])
def test_tracebacks_name_the_right_line(module: SlicedModule, everything: bool) -> None:
    if everything:
        module.load_all()
    with pytest.raises(ValueError, match="here") as caught:
        module.Two().fail()
    lines = textwrap.dedent(SOURCE).splitlines()
    assert lines[caught.tb.tb_next.tb_lineno - 1].strip() == 'raise ValueError("here")'


def test_a_missing_name_is_an_attribute_error(module: SlicedModule) -> None:
    with pytest.raises(AttributeError, match="no attribute 'Three'"):
        _ = module.Three
