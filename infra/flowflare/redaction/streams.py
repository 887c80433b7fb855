"""Standard output and standard error of a program, with secrets hidden.

A program may print, write to the descriptors, or start other programs that do. So Python's streams
are wrapped, and descriptors 1 and 2 lead through pipes, each with a thread that passes on what
comes. A line is passed on when it is whole, so that a secret which is written piece by piece is
found too; half a line when the program flushes it, but for what a secret may begin with.
"""

import codecs
import contextlib
import io
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO, cast

from flowflare.redaction.known import KnownSecrets, current

_lock: Final = threading.Lock()
_depth = 0


@contextlib.contextmanager
def hiding_output() -> Iterator[None]:
    """Hide the secrets of the process's filter in what is written inside the block.

    Without a filter, and inside of another such block, nothing changes.
    """
    global _depth  # noqa: PLW0603 -- there is one standard output
    secrets = current()
    with _lock:
        is_first = _depth == 0 and secrets is not None
        _depth += is_first
    if not is_first or secrets is None:
        yield
        return
    try:
        with contextlib.ExitStack() as streams:
            for name, descriptor in (("stdout", 1), ("stderr", 2)):
                streams.enter_context(_through_filter(name, descriptor, secrets))
            yield
    finally:
        with _lock:
            _depth -= 1


class Passage:
    """Passes text on, its secrets hidden, as soon as no secret can begin in what is held back.

    Args:
        secrets: the filter.
        put: takes what is passed on.
    """

    def __init__(self, secrets: KnownSecrets, put: Callable[[str], Any]) -> None:
        self._secrets = secrets
        self._put = put
        self._held = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> None:
        """Pass on the lines that are whole."""
        with self._lock:
            self._held += text
            whole = self._held.rfind("\n") + 1
            if whole:
                whole -= self._secrets.withheld(self._held[:whole], newlines=True)
                self._pass_on(whole)

    def flush(self) -> None:
        """Pass on half a line too, but for what a secret may begin with."""
        with self._lock:
            withheld = self._secrets.withheld(self._held, newlines=False)
            self._pass_on(len(self._held) - withheld)

    def close(self) -> None:
        """Pass on the rest."""
        with self._lock:
            self._pass_on(len(self._held))

    def _pass_on(self, count: int) -> None:
        if count > 0:
            text, self._held = self._held[:count], self._held[count:]
            self._put(self._secrets.hide(text))


class HidingStream(io.TextIOBase):
    """A text stream that writes to another one, with secrets hidden.

    Args:
        secrets: the filter.
        inner: the stream that is written to; its terminal and encoding are this one's.
    """

    def __init__(self, secrets: KnownSecrets, inner: TextIO) -> None:
        self._inner = inner
        self._passage = Passage(secrets, inner.write)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The inner stream's."""
        return self._inner.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """The inner stream's."""
        return self._inner.errors

    @property
    def buffer(self) -> "_HidingBytes":
        """A stream for bytes of text."""
        return _HidingBytes(self)

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Whether the inner stream is a terminal."""
        return self._inner.isatty()

    def fileno(self) -> int:
        """The inner stream's descriptor."""
        return self._inner.fileno()

    def write(self, text: str) -> int:
        """Write a text, which appears when its line is whole or flushed."""
        self._passage.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is held back, unless a secret may begin with it."""
        self._passage.flush()
        self._inner.flush()

    def finish(self) -> None:
        """Write all that is held back."""
        self._passage.close()
        self._inner.flush()


class _HidingBytes(io.RawIOBase):
    def __init__(self, stream: HidingStream) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._stream.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def flush(self) -> None:
        self._stream.flush()


@contextlib.contextmanager
def _through_filter(name: str, descriptor: int, secrets: KnownSecrets) -> Iterator[None]:
    """Lead one of the standard streams, and its descriptor, through the filter."""
    before = getattr(sys, name)
    if before is None:  # a process without a terminal or file there
        yield
        return
    with contextlib.ExitStack() as undo:
        inner = before
        saved = _saved(descriptor)
        if saved is not None:
            undo.callback(os.close, saved)
            if _is_on(before, descriptor):
                before.flush()
                inner = _copy(before, saved)
            undo.enter_context(_piped(descriptor, saved, secrets))
        stream = HidingStream(secrets, inner)
        undo.callback(stream.finish)
        setattr(sys, name, stream)
        undo.callback(_put_back, name, stream, before)
        yield


def _put_back(name: str, stream: HidingStream, before: TextIO) -> None:
    if getattr(sys, name) is stream:
        setattr(sys, name, before)
    with contextlib.suppress(ValueError, OSError):
        before.flush()


def _saved(descriptor: int) -> int | None:
    try:
        return os.dup(descriptor)
    except OSError:
        return None


def _is_on(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (AttributeError, OSError, ValueError):
        return False


def _copy(stream: TextIO, saved: int) -> TextIO:
    raw = open(saved, "wb", buffering=0, closefd=False)  # noqa: SIM115 -- a descriptor
    return cast(
        "TextIO",
        io.TextIOWrapper(
            raw, encoding=stream.encoding, errors=stream.errors or "replace", write_through=True
        ),
    )


@contextlib.contextmanager
def _piped(descriptor: int, saved: int, secrets: KnownSecrets) -> Iterator[None]:
    """Lead a descriptor through a pipe whose other end is filtered into where it led before."""
    read, write = os.pipe()
    os.dup2(write, descriptor)
    os.close(write)
    pump = _Pump(read, os.dup(saved), secrets)
    pump.start()
    try:
        yield
    finally:
        os.dup2(saved, descriptor)
        pump.drain()


class _Pump(threading.Thread):
    """Passes on what comes through a pipe, until nobody can write to it any more.

    Args:
        read: the pipe's end to read from; closed at the end.
        target: the descriptor to write to; closed at the end.
        secrets: the filter.
    """

    def __init__(self, read: int, target: int, secrets: KnownSecrets) -> None:
        super().__init__(name="hidden-output", daemon=True)
        self._read, self._target = read, target
        self._passage = Passage(secrets, self._put)
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._woken, self._wake = os.pipe()
        self._drained = threading.Event()

    def run(self) -> None:
        """Pass on what comes."""
        watched = [self._read, self._woken]
        while True:
            ready = select.select(watched, [], [])[0]
            if self._read in ready:
                data = os.read(self._read, 65536)
                self._passage.write(self._decoder.decode(data, final=not data))
                if not data:
                    break
                if not select.select([self._read], [], [], 0)[0]:
                    self._passage.flush()
            elif self._woken in ready:
                # The program has ended; what it has left running may still write.
                self._passage.close()
                self._drained.set()
                watched = [self._read]
        self._passage.close()
        self._drained.set()
        for one in (self._read, self._target, self._woken):
            os.close(one)

    def drain(self) -> None:
        """Wait until everything that was written is passed on."""
        os.close(self._wake)
        self._drained.wait()

    def _put(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        with contextlib.suppress(OSError):  # as for any program whose reader has gone
            while data:
                data = data[os.write(self._target, data) :]
