"""A run ends with an error when a part of it has died, wherever it was and whatever it raised."""

import asyncio
import contextvars
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import pytest

from flowflare.engine import Event
from flowflare.errors import FlowflareError, ProgramError, UpdateFailed
from tests.engine.projects import Sample, World
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
# A chain behind the dead part: each of them waits for the one before it.
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
    def tell():
        end()
        answer.set_result("told")
    asyncio.get_event_loop().call_soon(tell)
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


def end_of(work: Callable[[], object]) -> BaseException | None:
    """How something ends that must not wait for ever: in a thread, so that it cannot stop us."""
    ends: list[BaseException | None] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 -- what it ends with is what is tested
            ends.append(error)
        else:
            ends.append(None)

    # Daemons, so that a run that hangs fails this test and no other.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "the run waits for ever"
    return ends[0]


def is_refused(end: BaseException | None, error: str) -> bool:
    """Whether a run ended as it must where something raised the error."""
    if "KeyboardInterrupt" in error:
        return isinstance(end, KeyboardInterrupt)
    return isinstance(end, FlowflareError)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("place", PLACES)
def test_a_program_that_dies_ends_its_run(thing_sample: Sample, place: str, error: str) -> None:
    if (place, error) == ("in its body", "SystemExit(0)"):
        pytest.skip("a program may end itself like this once it has declared its resources")
    thing_sample.program(ENDS.replace("ERROR", error) + f"    {PLACES[place].strip()}\n")
    end = end_of(thing_sample.up)
    assert is_refused(end, error), repr(end)
    if "gone" in error:
        assert "gone" in str(end)
    if "first.token" not in PLACES[place]:  # which a preview does not know
        assert is_refused(end_of(thing_sample.preview), error)


@pytest.mark.parametrize("error", ERRORS)
def test_what_a_program_no_longer_declares_outlives_its_death(
    thing_sample: Sample, world: World, error: str
) -> None:
    """`sys.exit(0)` in a callback is not the end of a program that has declared everything."""
    more = "    first.token.apply(lambda _: Thing('second', 'two'))\n"
    thing_sample.program(ENDS + more).up()
    assert sorted(world.ids()) == ["first-a", "second-a"]
    dies = "    first.token.apply(end)\n"
    end = end_of(thing_sample.program(ENDS.replace("ERROR", error) + dies).up)
    assert is_refused(end, error), repr(end)
    assert sorted(world.ids()) == ["first-a", "second-a"]


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
    thing_sample.module("deadly", textwrap.dedent(DEADLY).replace("ERROR", error))
    thing_sample.program(DEADLIES.format("calm" if call in ("diff", "update") else call))
    if call not in ("check", "create"):
        thing_sample.up()
        if call == "update":
            thing_sample.module(
                "deadly",
                textwrap.dedent(DEADLY)
                .replace("ERROR", error)
                .replace("return super().diff(_id, _olds, _news)", "return DiffResult(True)")
                .replace("CreateResult,", "CreateResult, DiffResult,"),
            )
        thing_sample.program(DEADLIES.format(call))
    end = end_of(thing_sample.destroy if call == "delete" else thing_sample.up)
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
def test_a_death_in_the_engine_itself_ends_the_run(
    thing_sample: Sample, kind: str, error: BaseException
) -> None:
    """Whoever is told of the steps is called while a registration is served."""

    def die(event: Event) -> None:
        if event.kind == kind and event.step is not None and event.step.name == "first":
            raise error

    program: Any = ENDS + "    dead = first.token" + CHAIN
    end = end_of(lambda: thing_sample.program(program).open().up(die))
    assert is_refused(end, repr(error)), repr(end)


def test_a_cancelled_registration_ends_the_run_with_its_cause(thing_sample: Sample) -> None:
    dead = "    dead = first.token.apply(end)" + CHAIN
    program = ENDS.replace("ERROR", "asyncio.CancelledError('by the program')") + dead
    end = end_of(thing_sample.program(program).up)
    assert isinstance(end, ProgramError)
    assert "cancelled" in str(end)
