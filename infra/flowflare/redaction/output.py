"""Replace secrets in a program's standard output and standard error.

A program prints, writes to descriptors 1 and 2, or starts other programs that do. So Python's
streams are wrapped, and the descriptors lead through pipes (`pipe`). Text is passed on immediately,
except for an end in which a secret may begin: it waits for the following text, so that a secret
written in pieces is found.
"""

import atexit
import codecs
import contextlib
import errno
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, TextIO

from flowflare.redaction.passage import Passage
from flowflare.redaction.pipe import filter_descriptor
from flowflare.redaction.redactor import Redactor
from flowflare.redaction.run import get_current

_lock: Final = threading.Lock()
_installed: Final = contextlib.ExitStack()
_depth = 0
_has_run_code = False


@contextlib.contextmanager
def redact_output() -> Iterator[None]:
    """Replace secrets in what the process writes, until the last of these blocks ends.

    Without a current run, nothing changes.

    Raises:
        OSError: a pipe cannot be opened; the output is unchanged.
    """
    global _depth, _has_run_code  # noqa: PLW0603 -- a process has one standard output
    redactor = get_current()
    if redactor is None:
        yield
        return
    with _lock:
        _has_run_code = True
        if _depth == 0:
            with contextlib.ExitStack() as stack:
                for name, descriptor in (("stdout", 1), ("stderr", 2)):
                    stack.enter_context(_redact_stream(name, descriptor, redactor))
                _installed.push(stack.pop_all())
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _installed.close()


def finish_code() -> None:
    """Wait for a program's threads and call its `atexit` functions, with their output filtered.

    The interpreter does the same at the end of the process, but after the run's filter has ended.
    """
    if _has_run_code:
        with contextlib.suppress(OSError), redact_output():  # the output is closed
            threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 -- as CPython does
            atexit._run_exitfuncs()  # noqa: SLF001


class _Stream(io.TextIOBase):
    """A text stream in front of another, with the other's terminal, encoding and descriptor.

    A program may keep it, for example in a handler of `logging`, so it also works after `end`.

    Args:
        before: the stream that the program would have without the filter.
        raw: receives the filtered text instead, if the descriptor is filtered too: a copy of it.
        wait: waits for what other programs wrote to the same descriptor earlier.
    """

    def __init__(
        self, redactor: Redactor, before: TextIO, raw: BinaryIO | None, wait: Callable[[], None]
    ) -> None:
        self._before = before
        self._raw = raw
        self._wait = wait
        is_watched = raw is not None and raw.isatty()
        self._passage = Passage(redactor, self._put, is_watched=is_watched)
        self.buffer = _Bytes(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._before, name)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._before.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._before.errors

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return (self._raw or self._before).isatty()

    def fileno(self) -> int:
        # Not the copy, which is not filtered when a child process writes to it.
        return self._before.fileno()

    def write(self, text: str) -> int:
        shown = text
        if self.encoding and not text.isascii():  # other letters are replaced or raise an error
            data = text.encode(self.encoding, self.errors or "strict")
            shown = data.decode(self.encoding, "surrogateescape")
        self.pass_on(shown)
        return len(text)

    def pass_on(self, text: str) -> None:
        """Filter a string. Bytes that are not valid text are decoded with `surrogateescape`."""
        self._wait()
        self._passage.write(text)

    def flush(self) -> None:
        (self._raw or self._before).flush()

    def end(self) -> None:
        """Pass on everything, and from now on write to the original stream."""
        self.pass_on(self.buffer.take_rest())
        self._passage.end(self._leave)

    def _leave(self) -> None:
        self._raw, self._wait = None, _do_nothing

    def _put(self, text: str) -> None:
        if self._raw is not None:
            self._raw.write(text.encode(self.encoding or "utf-8", "surrogateescape"))
            self._raw.flush()
            return
        try:
            self._before.write(text)
        except UnicodeEncodeError:  # bytes that are not valid text
            self._before.flush()
            self._before.buffer.write(text.encode(self.encoding, "surrogateescape"))


class _Bytes(io.RawIOBase):
    """The byte stream of a text stream (`sys.stdout.buffer`)."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        decoder = codecs.getincrementaldecoder(stream.encoding or "utf-8")
        self._decoder = decoder("surrogateescape")

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, data: Any) -> int:
        with memoryview(data) as view:
            self._stream.pass_on(self._decoder.decode(bytes(view)))
            return view.nbytes

    def take_rest(self) -> str:
        """Return the bytes of an incomplete letter."""
        return self._decoder.decode(b"", final=True)

    def flush(self) -> None:
        self._stream.flush()


@contextlib.contextmanager
def _redact_stream(name: str, descriptor: int, redactor: Redactor) -> Iterator[None]:
    """Lead a standard stream and its descriptor through the filter."""
    before: TextIO | None = getattr(sys, name)
    with contextlib.ExitStack() as stack:
        raw, wait = None, _do_nothing
        saved = _copy(descriptor)
        if saved is not None:
            stack.callback(os.close, saved)
            if before is not None and _is_on(before, descriptor):
                before.flush()
                raw = open(saved, "wb", closefd=False)  # noqa: SIM115 -- closed with `saved`
            wait = stack.enter_context(filter_descriptor(descriptor, saved, redactor))
        if before is not None:
            stream = _Stream(redactor, before, raw, wait)
            setattr(sys, name, stream)
            stack.callback(_put_back, name, stream, before)
        yield


def _do_nothing() -> None:
    pass


def _put_back(name: str, stream: _Stream, before: TextIO) -> None:
    with contextlib.suppress(ValueError, OSError):  # the program may have closed them
        stream.end()
    with contextlib.suppress(ValueError, OSError):
        before.flush()  # into the pipe: the program may have kept it as `sys.__stdout__`
    if getattr(sys, name) is stream:
        setattr(sys, name, before)


def _copy(descriptor: int) -> int | None:
    """Copy a descriptor; None if the process does not have it."""
    try:
        return os.dup(descriptor)
    except OSError as error:
        if error.errno == errno.EBADF:
            return None
        raise


def _is_on(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (AttributeError, OSError, ValueError):
        return False
