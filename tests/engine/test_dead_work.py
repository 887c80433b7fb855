"""A run ends with an error if a part of it dies, wherever that is and whatever it raises."""

import asyncio
import contextvars
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import pytest

from flowflare.engine import Event
from flowflare.errors import FlowflareError, ProgramError, UpdateFailed
from tests.engine.projects import Sample, Things
from tests.support.waiting import PATIENCE

ENDS = """
    import asyncio, sys
    import pulumi
    from pulumi.runtime.sync_await import _sync_await
    from things import Thing

    class Custom(BaseException):
        pass

    def end(*_):
        raise ERROR

    first = Thing("first", "one")
"""
# Resources that depend on the dead part, each on the one before.
CHAIN = """
    waits = Thing("waits", dead)
    Thing("waits-longer", waits.token)
    pulumi.export("token", waits.token)
"""
# Where the program dies, and the code that dies there.
PLACES = {
    "in its body": "end()",
    "in an apply that resources wait for": "dead = first.token.apply(end)" + CHAIN,
    "in an apply that nothing waits for": "first.token.apply(end)",
    "in a task of its own": """
    async def work():
        end()
    dead = pulumi.Output.from_input(asyncio.ensure_future(work()))"""
    + CHAIN,
    "in a task that it forgets": """
    async def work():
        end()
    task = asyncio.ensure_future(work())
    dead = pulumi.Output.from_input(asyncio.Future())"""
    + CHAIN,
    "in a callback of the event loop": """
    answer = asyncio.Future()
    def set_answer():
        end()
        answer.set_result("done")
    asyncio.get_event_loop().call_soon(set_answer)
    dead = pulumi.Output.from_input(answer)"""
    + CHAIN,
    "while it waits inside its own code": """
    dead = first.token.apply(end)
    waits = Thing("waits", dead)
    _sync_await(waits.token.future())""",
    "while it waits and catches everything": """
    dead = first.token.apply(end)
    waits = Thing("waits", dead)
    for _ in range(3):
        try:
            _sync_await(waits.token.future())
        except BaseException:
            pass""",
}
ERRORS = ("Custom('gone')", "SystemExit(0)", "SystemExit('gone')", "KeyboardInterrupt()")


def wait_for_end(work: Callable[[], object]) -> BaseException | None:
    """Return the error that ends a function; it runs in a thread and cannot end the test."""
    ends: list[BaseException | None] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 -- the test checks what it raises
            ends.append(error)
        else:
            ends.append(None)

    # A daemon thread, so that a run that hangs fails only this test.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "the run waits forever"
    return ends[0]


def is_refused(end: BaseException | None, error: str) -> bool:
    """Return whether a run ended with the right error for what was raised inside it."""
    if "KeyboardInterrupt" in error:
        return isinstance(end, KeyboardInterrupt)
    return isinstance(end, FlowflareError)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("place", PLACES)
def test_a_program_that_dies_ends_its_run(thing_sample: Sample, place: str, error: str) -> None:
    if (place, error) == ("in its body", "SystemExit(0)"):
        pytest.skip("a program may exit with 0 after it has declared its resources")
    thing_sample.write_program(ENDS.replace("ERROR", error) + f"    {PLACES[place].strip()}\n")
    end = wait_for_end(thing_sample.up)
    assert is_refused(end, error), repr(end)
    if "gone" in error:
        assert "gone" in str(end)
    if "first.token" not in PLACES[place]:  # a preview does not know this value
        assert is_refused(wait_for_end(thing_sample.preview), error)


@pytest.mark.parametrize("error", ERRORS)
def test_a_program_that_dies_deletes_no_resource_that_it_no_longer_declares(
    thing_sample: Sample, world: Things, error: str
) -> None:
    """`sys.exit(0)` in a callback does not mean that a program has declared everything."""
    more = "    first.token.apply(lambda _: Thing('second', 'two'))\n"
    thing_sample.write_program(ENDS + more).up()
    assert sorted(world.list_ids()) == ["first-a", "second-a"]
    dies = "    first.token.apply(end)\n"
    end = wait_for_end(thing_sample.write_program(ENDS.replace("ERROR", error) + dies).up)
    assert is_refused(end, error), repr(end)
    assert sorted(world.list_ids()) == ["first-a", "second-a"]


DEADLY = """
    import asyncio, sys
    import pulumi
    from pulumi.dynamic import CreateResult, Resource, ResourceProvider

    class Custom(BaseException):
        pass

    class DeadlyProvider(ResourceProvider):
        serialize_as_secret_always = False

        def check(self, _olds, news):
            self.die("check", news)
            return super().check(_olds, news)

        def diff(self, _id, _olds, _news):
            self.die("diff", _news)
            return super().diff(_id, _olds, _news)

        def create(self, props):
            self.die("create", props)
            return CreateResult("id", {**props, "token": "t"})

        def update(self, _id, _olds, _news):
            self.die("update", _news)
            return super().update(_id, _olds, _news)

        def delete(self, _id, _props):
            self.die("delete", _props)

        def die(self, call, props):
            if props["value"] == call:
                raise ERROR

    class Deadly(Resource, module="test", name="Deadly"):
        token: pulumi.Output[str]

        def __init__(self, name, value, opts=None):
            super().__init__(DeadlyProvider(), name, {"value": value, "token": None}, opts)
"""
DEADLIES = """
    import pulumi
    from deadly import Deadly
    bad = Deadly("bad", "{}")
    child = Deadly("child", bad.token)
    pulumi.export("child", child.token)
"""


@pytest.mark.parametrize("error", [*ERRORS, "asyncio.CancelledError()", "StopIteration()"])
@pytest.mark.parametrize("call", ["check", "create", "diff", "update", "delete"])
def test_a_provider_that_dies_fails_its_resource(
    thing_sample: Sample, call: str, error: str
) -> None:
    thing_sample.write_module("deadly", textwrap.dedent(DEADLY).replace("ERROR", error))
    thing_sample.write_program(DEADLIES.format("calm" if call in ("diff", "update") else call))
    if call not in ("check", "create"):
        thing_sample.up()
        if call == "update":
            thing_sample.write_module(
                "deadly",
                textwrap.dedent(DEADLY)
                .replace("ERROR", error)
                .replace("return super().diff(_id, _olds, _news)", "return DiffResult(True)")
                .replace("CreateResult,", "CreateResult, DiffResult,"),
            )
        thing_sample.write_program(DEADLIES.format(call))
    end = wait_for_end(thing_sample.destroy if call == "delete" else thing_sample.up)
    if "KeyboardInterrupt" in error:
        assert isinstance(end, KeyboardInterrupt)
        return
    assert isinstance(end, UpdateFailed), repr(end)
    assert "bad (pulumi-python:dynamic/test:Deadly)" in str(end)


class Custom(BaseException):
    """Not an `Exception`."""


@pytest.mark.parametrize(
    "error",
    [Custom("gone"), SystemExit(0), KeyboardInterrupt(), asyncio.CancelledError()],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["started", "done"])
def test_an_error_in_an_event_callback_ends_the_run(
    thing_sample: Sample, kind: str, error: BaseException
) -> None:
    """The engine calls it while it serves a registration."""

    def die(event: Event) -> None:
        if event.kind == kind and event.step is not None and event.step.name == "first":
            raise error

    program: Any = ENDS + "    dead = first.token" + CHAIN
    end = wait_for_end(lambda: thing_sample.write_program(program).open().up(die))
    assert is_refused(end, repr(error)), repr(end)


def test_a_cancelled_registration_ends_the_run_with_its_cause(thing_sample: Sample) -> None:
    dead = "    dead = first.token.apply(end)" + CHAIN
    program = ENDS.replace("ERROR", "asyncio.CancelledError('by the program')") + dead
    end = wait_for_end(thing_sample.write_program(program).up)
    assert isinstance(end, ProgramError)
    assert "cancelled" in str(end)
