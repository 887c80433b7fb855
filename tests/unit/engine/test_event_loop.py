"""Ctrl-C ends a run even if the code that it interrupts swallows the exception."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from flowflare.engine.embedded.event_loop import run_to_end


def interrupt_and_go_on() -> None:
    """What a finalizer and a callback of grpc's C code do with an exception."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        return


async def wait_after_it() -> None:
    interrupt_and_go_on()
    await asyncio.wait_for(asyncio.get_running_loop().create_future(), 5)


async def end_after_it() -> None:
    interrupt_and_go_on()


@pytest.mark.parametrize("main", [wait_after_it, end_after_it])
def test_a_swallowed_interrupt_ends_the_run(main: object) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_to_end(main, ThreadPoolExecutor(1))  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_that_nothing_swallows_ends_it_at_once() -> None:
    reached = []

    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        reached.append("the next line")

    with pytest.raises(KeyboardInterrupt):
        run_to_end(main, ThreadPoolExecutor(1))
    assert reached == []
