"""Lead a descriptor of this process through a filtered pipe."""

import codecs
import contextlib
import fcntl
import os
import select
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator

from flowflare.redaction.passage import Passage
from flowflare.redaction.redactor import Redactor

_PIECE = 65536


@contextlib.contextmanager
def filter_descriptor(
    descriptor: int, target: int, redactor: Redactor
) -> Iterator[Callable[[], None]]:
    """Filter what this process and its children write to a descriptor.

    Args:
        target: a copy of it, which receives the filtered text.

    Yields:
        A function that waits until the pipe is empty.

    Raises:
        OSError: a pipe cannot be opened; the descriptor is unchanged.
    """
    reader = _Reader(target, redactor)
    try:
        reader.take(descriptor)
        yield reader.catch_up
    finally:
        os.dup2(target, descriptor)
        reader.drain()


class _Reader(threading.Thread):
    """Filters a pipe until no process can write to it.

    Args:
        target: the descriptor to write to; a copy of it is used.
    """

    def __init__(self, target: int, redactor: Redactor) -> None:
        super().__init__(name="redacted-output", daemon=True)
        self._passage = Passage(redactor, self._put, is_watched=os.isatty(target))
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._drained = threading.Event()
        self._passing = threading.Lock()
        with contextlib.ExitStack() as failed:

            def keep(opened: int) -> int:
                failed.callback(os.close, opened)
                return opened

            self._target = keep(os.dup(target))
            self._source, self._entrance = map(keep, os.pipe())
            self._woken, self._wake = map(keep, os.pipe())
            self.start()
            failed.pop_all()

    def take(self, descriptor: int) -> None:
        """Redirect a descriptor into the pipe."""
        try:
            os.dup2(self._entrance, descriptor)
        finally:
            os.close(self._entrance)

    def run(self) -> None:
        """Pass on what arrives."""
        try:
            self._pass_all()
        finally:
            self._drained.set()
            os.close(self._source)
            os.close(self._target)

    def catch_up(self) -> None:
        """Wait until the pipe's current content is passed on, 0.1 s at most."""
        with contextlib.suppress(OSError):  # the pipe is closed
            poll = select.poll()
            poll.register(self._source, select.POLLIN)
            for _ in range(100):
                if not poll.poll(0):
                    break
                time.sleep(0.001)
            # With a limit, because a process that was forked in the meantime does not have the
            # thread.
            if self._passing.acquire(timeout=0.1):
                self._passing.release()

    def drain(self) -> None:
        """Wait until everything that was written so far is passed on."""
        if self.is_alive():  # a forked copy has no such thread, and must not wake the original
            os.write(self._wake, b"!")  # closing is not enough: a forked process has a copy
            self._drained.wait()
        os.close(self._wake)
        os.close(self._woken)

    def _pass_all(self) -> None:
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._woken in ready:
                # The run has ended, but a process that it left running may still write.
                poll.unregister(self._woken)
                self._pass_present()
                self._drained.set()
            elif not self._pass_on(_PIECE):
                break

    def _pass_on(self, size: int) -> int:
        """Pass on one piece, and return its number of bytes, 0 at the end."""
        with self._passing:
            data = os.read(self._source, size)
            text = self._decoder.decode(data, final=not data)
            self._passage.write(text, is_last=not data)
        return len(data)

    def _pass_present(self) -> None:
        """Pass on the pipe's current content, without what arrives in the meantime."""
        answer = fcntl.ioctl(self._source, termios.FIONREAD, bytes(struct.calcsize("i")))
        left = struct.unpack("i", answer)[0]
        while left and (passed := self._pass_on(min(left, _PIECE))):
            left -= passed
        self._passage.write("", is_last=True)

    def _put(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        with contextlib.suppress(OSError):  # the reader is closed
            while data:
                try:
                    data = data[os.write(self._target, data) :]
                except BlockingIOError:  # another program made it non-blocking
                    poll = select.poll()
                    poll.register(self._target, select.POLLOUT)
                    poll.poll()
