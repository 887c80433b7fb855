"""The program of a commit reaches no credentials, no network and no files but its own."""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowflare.review import isolation
from tests.review.conftest import Repo

COMMAND = [sys.executable, "-c", "from flowflare.cli.main import main; main()"]
CANARY = "canary-7f3a"
FILES = {"Pulumi.yaml": "name: p\nruntime: python\n", "Pulumi.one.yaml": ""}
#: Ends with an error that lists everything that it reaches.
CURIOUS = """
import ctypes, glob, os, pathlib, socket, subprocess, sys

reached = [name for name in os.environ if name.startswith("PYTHON")]
lines = [f"{name}={value}" for name, value in os.environ.items()]
reached += [line for line in lines if "flowflare" in line.lower()]
reached += [f"the variable {name}" for name, value in os.environ.items() if canary in value]
# What root could do in a namespace of its own.
libc = ctypes.CDLL(None)
for folder in sorted({folder for file in secrets for folder in pathlib.Path(file).parents}):
    libc.umount2(os.fsencode(folder), 2)
libc.mount(b"none", b"/", None, 4096 | 32, None)
for file in [*glob.glob("/proc/[0-9]*/environ"), *secrets]:
    try:
        if canary in pathlib.Path(file).read_text("utf-8", "replace"):
            reached.append("read " + file.replace(f"/proc/{os.getppid()}/", "/proc/PARENT/"))
    except OSError:
        pass
for file in places:
    try:
        pathlib.Path(file).write_text("mine")
        reached.append("wrote " + file)
    except OSError:
        pass
try:
    os.kill(outside, 0)
    reached.append("signals")
except OSError:
    pass
try:
    socket.socket(socket.AF_UNIX).connect(listening)
    reached.append("connected to a socket")
except OSError:
    pass
code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
if subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode == 0:
    reached.append("connected")
lasting = [sys.executable, "-c", "import signal; signal.pause()", marker]
subprocess.Popen(lasting, start_new_session=True, stderr=subprocess.DEVNULL)
assert not reached, sorted(reached)
"""


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class Machine:
    """A user's machine with secrets, and a commit whose program looks for them."""

    def __init__(self, top: Path, repo: Repo, port: int) -> None:
        self.repo = repo
        home, cache = top / "home", top / "home/.cache/flowflare"
        secrets = [home / ".aws/credentials", home / ".pulumi/credentials.json"]
        secrets += [repo.project / ".flowflare/passphrase", repo.project / ".env"]
        secrets += [repo.project / ".git/token", home / "notes.txt", top / "other/key"]
        for file in [*secrets, cache / "keep"]:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(CANARY)
        self.environ = os.environ | {"HOME": str(home), "CLOUDFLARE_API_TOKEN": CANARY}
        self.environ.pop("XDG_CACHE_HOME", None)
        places = [str(cache / "poison"), str(repo.project / "planted"), "/proc/sys/kernel/printk"]
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(top / "agent"))
        self.socket.listen()
        self.marker = f"lasting {top}"
        files = [str(file) for file in secrets]
        known = (CANARY, files, places, port, os.getpid(), str(top / "agent"), self.marker)
        names = "canary, secrets, places, port, outside, listening, marker"
        self.program = f"{names} = {known!r}\n{CURIOUS}"

    def diff(self, *before: str) -> subprocess.CompletedProcess[str]:
        ignored = {".gitignore": ".flowflare\n.env\n"}
        self.repo.commit(FILES | ignored | {"__main__.py": self.program})
        return subprocess.run(
            [*before, *COMMAND, "diff", "HEAD", "--exit-code"],
            cwd=self.repo.project,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path, bare: Repo, port: int) -> Iterator[Machine]:
    made = Machine(tmp_path, bare, port)
    with made.socket:
        yield made


@pytest.fixture
def isolating() -> None:
    why = isolation.explain_missing({"writable": [], "readable": [], "hidden": []})
    if why:
        pytest.skip(f"this machine cannot isolate a program: {why}")


@pytest.mark.usefixtures("isolating")
def test_a_program_reaches_nothing_of_the_user_who_runs_it(machine: Machine) -> None:
    done = machine.diff()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert machine.marker not in list_commands()


@pytest.mark.long
@pytest.mark.usefixtures("isolating")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_a_machine_that_cannot_isolate_a_program_is_named(machine: Machine) -> None:
    """Without namespaces, the environment of the command itself is still not readable."""
    words = shlex.join(["setpriv", "--securebits", "+noroot", "--bounding-set", "-all"])
    script = f'echo 0 > /proc/sys/user/max_user_namespaces; exec {words} -- "$@"'
    done = machine.diff("unshare", "-Ur", "sh", "-c", script, "sh")
    assert "can use the network and this user's files" in done.stderr
    assert "unshare: No space left on device" in done.stderr
    assert "in a container" in done.stderr
    assert "'connected'" in done.stdout
    assert "/proc/PARENT" not in done.stdout, done.stdout


def list_commands() -> str:
    """Return the command lines of all processes of this machine."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(file.read_text(errors="replace"))
    return "\n".join(found)


@pytest.mark.usefixtures("isolating")
def test_what_a_program_needs_of_a_hidden_folder_stays(tmp_path: Path) -> None:
    for name in ("home/secret", "home/code/needed", "home/code/.env", "out/made"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    request = {
        "writable": [str(tmp_path / "out")],
        "readable": [str(tmp_path / "home/code")],
        "hidden": [str(tmp_path), str(tmp_path / "home/code/.env")],
    }
    script = f"cd {tmp_path}; echo *; echo home/*; cat home/code/.env home/code/*; exit 7"
    command = ["/bin/sh", "-c", script]
    done = subprocess.run(isolation.isolate(request, command), capture_output=True, check=False)
    assert done.returncode == 7
    assert done.stdout.decode().splitlines() == ["home out", "home/code", "text"]
