"""Values that must never be seen, and the search for pieces of them in outputs."""

import base64
import os
import re
import secrets
import string
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

#: The bytes of a secret that count as found; a message that quotes fewer reveals little.
PIECE = 8
# Hexadecimal digits are frequent, so that a longer piece must match.
_HEX_PIECE = 16
# The beginning of an API key, `ff_<stack>_<key id>_`, is public.
_PUBLIC = re.compile(r"^ff_[a-z0-9]+_[0-9a-f]{8}_")
_LETTERS = string.ascii_letters + string.digits
#: Characters that encodings change: JSON, URLs, `repr`, shells, HTML.
_TAIL = "+/?ü\"'<&"


@dataclass
class Canaries:
    """Secret values by their description, and the places where a piece of one was seen."""

    values: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    _pieces: dict[bytes, str] = field(default_factory=dict)
    _sealed: dict[bytes, str] = field(default_factory=dict)

    def plant(self, what: str, tail: str = _TAIL) -> str:
        """Make a new value; an HTTP header needs one without a tail."""
        value = "".join(secrets.choice(_LETTERS) for _ in range(24)) + tail
        self.hide(what, value)
        return value

    def hide(self, what: str, value: str) -> None:
        """Add an existing value that must never be seen."""
        self.values[what] = value
        value = _PUBLIC.sub("", value)
        for form, text in _forms(value):
            self._pieces.update(dict.fromkeys(_cut(text), f"{what}, {form}"))
        digits = value.encode().hex().encode()
        self._pieces.update(dict.fromkeys(_cut(digits, _HEX_PIECE), f"{what}, hexadecimal"))

    def hide_sealed(self, what: str, ciphertext: str) -> None:
        """Add a ciphertext, which files may have, but which no message may quote."""
        self._sealed.update(dict.fromkeys(_cut(ciphertext.encode()), f"the ciphertext of {what}"))

    def look(self, where: str, data: bytes | str, *, sealed: bool = False) -> None:
        """Note every piece that the data contains.

        Args:
            where: the name of the data.
            data: the data.
            sealed: whether it may have ciphertexts, like a state or a stack's file.
        """
        data = data.encode(errors="surrogateescape") if isinstance(data, str) else data
        found = _cut(data) | _cut(data, _HEX_PIECE)
        for pieces in (self._pieces,) if sealed else (self._pieces, self._sealed):
            pieces_seen = {pieces[piece]: piece for piece in sorted(found & pieces.keys())}
            self.seen += [f"{what}, in {where}: {piece!r}" for what, piece in pieces_seen.items()]

    def look_below(self, folder: Path, *, but: Collection[str] = ()) -> int:
        """Search all files below a folder; return their number."""
        count = 0
        for file in files_below(folder, but):
            self.look(str(file.relative_to(folder)), file.read_bytes(), sealed=True)
            self.look("a file's name", file.name)
            count += 1
        return count

    @contextmanager
    def watching_children(self, *, but: Collection[str] = ()) -> Iterator[list[str]]:
        """Search arguments and environment of all processes below this one.

        Args:
            but: programs that must have secrets in their environment, such as `pulumi`.
        """
        commands: list[str] = []
        stop = threading.Event()

        def watch() -> None:
            known: set[str] = set()
            while not stop.wait(0.03):
                for pid in _descendants(os.getpid()) - known:
                    arguments, environment = _of(pid, "cmdline"), _of(pid, "environ")
                    # A fork is its parent until it runs another program.
                    if arguments and arguments != _of("self", "cmdline"):
                        known.add(pid)
                        commands.append(arguments.replace(b"\0", b" ").decode())
                        self.look(f"the arguments of {commands[-1]}", arguments)
                        if Path(arguments.split(b"\0")[0].decode()).name not in but:
                            self.look(f"the environment of {commands[-1]}", environment)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield commands
        finally:
            stop.set()
            thread.join()


def files_below(folder: Path, but: Collection[str] = ()) -> Iterator[Path]:
    """Yield all files below a folder.

    Args:
        folder: the folder; links in it are followed.
        but: excluded files and folders, by their paths below it.
    """
    for parent, folders, names in os.walk(folder, followlinks=True):
        here = Path(parent).relative_to(folder)
        folders[:] = [name for name in folders if str(here / name) not in but]
        yield from (Path(parent, name) for name in names if str(here / name) not in but)


def _forms(value: str) -> Iterator[tuple[str, bytes]]:
    """Yield the forms of a secret; other forms keep long pieces of the plain one."""
    raw = value.encode()
    yield "plain", raw
    for shift in range(3):
        # The base64 of a value depends on its offset in the data, modulo 3.
        text = base64.b64encode(b"x" * shift + raw)[(0, 2, 3)[shift] : -4]
        yield f"base64 at {shift}", text
        yield f"base64url at {shift}", text.replace(b"+", b"-").replace(b"/", b"_")


def _cut(data: bytes, size: int = PIECE) -> set[bytes]:
    return {data[at : at + size] for at in range(len(data) - size + 1)}


def _descendants(pid: int) -> set[str]:
    below: set[str] = set()
    wave = {str(pid)}
    while wave:
        wave = {child for parent in wave for child in _children(parent)} - below
        below |= wave
    return below


def _children(pid: str) -> list[str]:
    try:
        files = list(Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:  # it has ended
        return []
    return [child for file in files for child in _text(file).split()]


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _of(pid: str, name: str) -> bytes:
    try:
        return Path("/proc", pid, name).read_bytes()
    except OSError:
        return b""
