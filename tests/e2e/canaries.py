"""Values that must never be seen, and the search for them in everything that was written."""

import base64
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus


@dataclass
class Canaries:
    """Secret values by what they are, and the places where one was seen."""

    values: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def plant(self, what: str) -> str:
        """A new one, with letters that every encoding changes."""
        self.values[what] = f"canary-{what}-{os.urandom(9).hex()}+/?ü"
        return self.values[what]

    def look(self, where: str, data: bytes | str) -> None:
        """Notes every canary that is in what was written there."""
        data = data.encode(errors="surrogateescape") if isinstance(data, str) else data
        for what, value in self.values.items():
            found = [form for form, needle in _forms(value).items() if needle in data]
            self.seen += [f"{what}, {form}, in {where}" for form in found]

    def look_below(self, folder: Path, *, but: tuple[str, ...] = ()) -> int:
        """Looks into every file below a folder; returns how many there were."""
        count = 0
        for parent, folders, names in os.walk(folder, followlinks=True):
            here = Path(parent).relative_to(folder)
            folders[:] = [name for name in folders if str(here / name) not in but]
            for name in names:
                if str(here / name) not in but:
                    self.look(str(here / name), Path(parent, name).read_bytes())
                    self.look("a file's name", name)
                    count += 1
        return count

    @contextmanager
    def watching_children(self) -> Iterator[list[str]]:
        """Looks into arguments and environment of every process below this one."""
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
                        self.look(f"the environment of {commands[-1]}", environment)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield commands
        finally:
            stop.set()
            thread.join()


def _forms(value: str) -> Mapping[str, bytes]:
    forms = {
        "plain": value,
        "JSON": json.dumps(value)[1:-1],
        "URL-encoded": quote(value, safe=""),
        "a form": quote_plus(value),
        "hexadecimal": value.encode().hex(),
    }
    for shift in range(3):
        # In base64 a value looks another way at each of three places of what is around it.
        text = base64.b64encode(b"x" * shift + value.encode()).decode()
        inner = text[(0, 2, 3)[shift] : -4]
        forms[f"base64 at {shift}"] = inner
        forms[f"base64url at {shift}"] = inner.replace("+", "-").replace("/", "_")
    return {name: form.encode() for name, form in forms.items()}


def _descendants(pid: int) -> set[str]:
    below: set[str] = set()
    wave = {str(pid)}
    while wave:
        files = (file for one in wave for file in Path(f"/proc/{one}/task").glob("*/children"))
        wave = {child for file in files for child in _text(file).split()} - below
        below |= wave
    return below


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
