"""Values that must never be seen, and the search for pieces of them in what is written."""

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

#: So many bytes of a secret are enough to be found; a message that quotes less gives little away.
PIECE = 8
# Hexadecimal digits are everywhere: of those, more must be the same.
_HEX_PIECE = 16
# The beginning of an API key, `ff_<stack>_<key id>_`, is shown to people.
_PUBLIC = re.compile(r"^ff_[a-z0-9]+_[0-9a-f]{8}_")
_LETTERS = string.ascii_letters + string.digits
#: Every encoding changes these: JSON, URLs, `repr`, shells, HTML.
_TAIL = "+/?ü\"'<&"


@dataclass
class Canaries:
    """Secret values by what they are, and the places where a piece of one was seen."""

    values: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    _pieces: dict[bytes, str] = field(default_factory=dict)
    _sealed: dict[bytes, str] = field(default_factory=dict)

    def plant(self, what: str, tail: str = _TAIL) -> str:
        """Make a new one; in a header of HTTP only one without a tail can be sent."""
        value = "".join(secrets.choice(_LETTERS) for _ in range(24)) + tail
        self.hide(what, value)
        return value

    def hide(self, what: str, value: str) -> None:
        """Take a value that something else made as one that must never be seen."""
        self.values[what] = value
        value = _PUBLIC.sub("", value)
        for form, text in _forms(value):
            self._pieces.update(dict.fromkeys(_cut(text), f"{what}, {form}"))
        digits = value.encode().hex().encode()
        self._pieces.update(dict.fromkeys(_cut(digits, _HEX_PIECE), f"{what}, hexadecimal"))

    def hide_sealed(self, what: str, ciphertext: str) -> None:
        """Take a ciphertext as one of which no message may quote a piece; files may have it."""
        self._sealed.update(dict.fromkeys(_cut(ciphertext.encode()), f"the ciphertext of {what}"))

    def look(self, where: str, data: bytes | str, *, sealed: bool = False) -> None:
        """Note every piece that is in what was written there.

        Args:
            where: what the data is.
            data: what was written.
            sealed: whether it may hold ciphertexts, as a state or a stack's file does.
        """
        data = data.encode(errors="surrogateescape") if isinstance(data, str) else data
        found = _cut(data) | _cut(data, _HEX_PIECE)
        for pieces in (self._pieces,) if sealed else (self._pieces, self._sealed):
            told = {pieces[one]: one for one in sorted(found & pieces.keys())}
            self.seen += [f"{what}, in {where}: {piece!r}" for what, piece in told.items()]

    def look_below(self, folder: Path, *, but: Collection[str] = ()) -> int:
        """Look into every file below a folder; return how many there were."""
        count = 0
        for file in files_below(folder, but):
            self.look(str(file.relative_to(folder)), file.read_bytes(), sealed=True)
            self.look("a file's name", file.name)
            count += 1
        return count

    @contextmanager
    def watching_children(self, *, but: Collection[str] = ()) -> Iterator[list[str]]:
        """Look into arguments and environment of every process below this one.

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
    """Every file below a folder.

    Args:
        folder: the folder; links in it are followed.
        but: files and folders that are left out, by their paths below it.
    """
    for parent, folders, names in os.walk(folder, followlinks=True):
        here = Path(parent).relative_to(folder)
        folders[:] = [name for name in folders if str(here / name) not in but]
        yield from (Path(parent, name) for name in names if str(here / name) not in but)


def _forms(value: str) -> Iterator[tuple[str, bytes]]:
    """The forms that a secret may be written in; others keep long pieces of the first one."""
    raw = value.encode()
    yield "plain", raw
    for shift in range(3):
        # In base64 a value looks another way at each of three places of what is around it.
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
