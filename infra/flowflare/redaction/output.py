"""A program's standard output and standard error, with its secrets replaced.

A program prints, writes to descriptors 1 and 2, or starts other programs that do. So Python's
streams are wrapped, and the descriptors lead through pipes, each with a thread that reads it.
Text is passed on at once, except for an end with which a secret may begin: that waits for the text
after it, so that a secret written in pieces is found.
"""

import codecs
import contextlib
import io
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

from flowflare.redaction.redactor import Redactor, current

_lock: Final = threading.Lock()
_installed: Final = contextlib.ExitStack()
_depth = 0


@contextlib.contextmanager
def redacted_output() -> Iterator[None]:
    """Replace secrets in what the process writes, until the last of such blocks ends.

    Nothing changes if no run is under way.
    """
    global _depth  # noqa: PLW0603 -- there is one standard output
    redactor = current()
    if redactor is None:
        yield
        return
    with _lock:
        if _depth == 0:
            for name, descriptor in (("stdout", 1), ("stderr", 2)):
                _installed.enter_context(_redacted(name, descriptor, redactor))
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _installed.close()


class Passage:
    """Passes text on as soon as it is certain that no secret begins in it.

    Args:
        redactor: the filter.
        put: takes what is passed on.
    """

    def __init__(self, redactor: Redactor, put: Callable[[str], Any]) -> None:
        self._redactor = redactor
        self._put = put
        self._rest = ""
        self._lock = threading.RLock()

    def write(self, text: str, *, is_last: bool = False) -> None:
        """Pass on what is certain, or everything if it is the last text."""
        with self._lock:
            done, self._rest = self._redactor.redact_part(self._rest + text, is_last=is_last)
            if done:
                self._put(done)


class _Stream(io.TextIOBase):
    """A text stream before another one, whose terminal, encoding and descriptor it shows.

    Args:
        redactor: the filter.
        inner: the other stream.
        wait: waits for what other programs have written to the same descriptor before.
    """

    def __init__(self, redactor: Redactor, inner: TextIO, wait: Callable[[], None]) -> None:
        self._inner = inner
        self._wait = wait
        self._passage = Passage(redactor, inner.write)
        self.buffer = _Bytes(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._inner.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._inner.errors

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._inner.isatty()

    def fileno(self) -> int:
        return self._inner.fileno()

    def write(self, text: str) -> int:
        self._wait()
        self._passage.write(text)
        return len(text)

    def flush(self) -> None:
        self._inner.flush()

    def finish(self) -> None:
        """Pass on everything."""
        self._passage.write("", is_last=True)
        self._inner.flush()


class _Bytes(io.RawIOBase):
    """The stream for bytes of a text stream (`sys.stdout.buffer`)."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(stream.encoding or "utf-8")("replace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._stream.write(self._decoder.decode(bytes(data)))
        return len(data)

    def flush(self) -> None:
        self._stream.flush()


@contextlib.contextmanager
def _redacted(name: str, descriptor: int, redactor: Redactor) -> Iterator[None]:
    """Lead a standard stream and its descriptor through the filter."""
    before: TextIO | None = getattr(sys, name)
    with contextlib.ExitStack() as stack:
        inner, wait = before, _nothing
        with contextlib.suppress(OSError):  # the process may have no such descriptor
            saved = os.dup(descriptor)
            stack.callback(os.close, saved)
            if before is not None and _is_on(before, descriptor):
                before.flush()
                inner = _open_copy(before, saved)
            wait = stack.enter_context(_piped(descriptor, saved, redactor))
        if before is not None and inner is not None:
            stream = _Stream(redactor, inner, wait)
            setattr(sys, name, stream)
            stack.callback(_put_back, name, stream, before)
        yield


def _nothing() -> None:
    pass


def _put_back(name: str, stream: _Stream, before: TextIO) -> None:
    with contextlib.suppress(ValueError, OSError):  # the program may have closed them
        stream.finish()
        before.flush()  # into the pipe: the program may have kept it as `sys.__stdout__`
    if getattr(sys, name) is stream:
        setattr(sys, name, before)


def _is_on(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (AttributeError, OSError, ValueError):
        return False


def _open_copy(stream: TextIO, descriptor: int) -> TextIO:
    """Open an unbuffered stream on a copy of the descriptor that another one is on."""
    raw: Any = open(descriptor, "wb", buffering=0, closefd=False)  # noqa: SIM115
    errors = stream.errors or "replace"
    return io.TextIOWrapper(raw, encoding=stream.encoding, errors=errors, write_through=True)


@contextlib.contextmanager
def _piped(descriptor: int, target: int, redactor: Redactor) -> Iterator[Callable[[], None]]:
    """Lead a descriptor through a pipe that is filtered into the target.

    Yields:
        What waits until the pipe is empty.
    """
    read, write = os.pipe()
    os.dup2(write, descriptor)
    os.close(write)
    reader = _Reader(read, os.dup(target), redactor)
    reader.start()
    try:
        yield reader.catch_up
    finally:
        os.dup2(target, descriptor)
        reader.drain()


class _Reader(threading.Thread):
    """Filters a pipe until no process can write to it any more.

    Args:
        source: the end of the pipe to read from; closed at the end.
        target: the descriptor to write to; closed at the end.
        redactor: the filter.
    """

    def __init__(self, source: int, target: int, redactor: Redactor) -> None:
        super().__init__(name="redacted-output", daemon=True)
        self._source, self._target = source, target
        self._passage = Passage(redactor, self._put)
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._woken, self._wake = os.pipe()
        self._drained = threading.Event()
        self._passing = threading.Lock()

    def run(self) -> None:
        """Pass on what comes."""
        watched = [self._source, self._woken]
        while True:
            ready = select.select(watched, [], [])[0]
            if self._source in ready:
                with self._passing:
                    data = os.read(self._source, 65536)
                    text = self._decoder.decode(data, final=not data)
                    self._passage.write(text, is_last=not data)
                if not data:
                    break
            else:
                # The run has ended and the pipe is empty. A process that it left running may
                # still write.
                self._passage.write("", is_last=True)
                self._drained.set()
                watched = [self._source]
        self._drained.set()
        for one in (self._source, self._target, self._woken):
            os.close(one)

    def catch_up(self) -> None:
        """Wait until what is in the pipe now is passed on, 0.1 s at most."""
        with contextlib.suppress(OSError, ValueError):  # it has ended
            for _ in range(100):
                if not select.select([self._source], [], [], 0)[0]:
                    break
                time.sleep(0.001)
            # With a limit: in a process that was forked meanwhile, the thread does not exist.
            if self._passing.acquire(timeout=0.1):
                self._passing.release()

    def drain(self) -> None:
        """Wait until everything that was written so far is passed on."""
        os.close(self._wake)
        while self.is_alive() and not self._drained.wait(0.1):  # a forked copy has no such thread
            pass

    def _put(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        with contextlib.suppress(OSError):  # nobody reads it any more
            while data:
                data = data[os.write(self._target, data) :]
