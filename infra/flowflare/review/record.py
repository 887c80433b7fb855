"""Records every stack of one commit, in a process of its own and with the commit's own code.

The process is `python -m flowflare.review.record`. It gets no credentials: of the environment only
what finding and running programs needs is passed on. A commit whose code cannot record says so.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowflare.errors import FlowflareError
from flowflare.model import names

if TYPE_CHECKING:
    from flowflare.config.files import Project

FORMAT: Final = 1
_SECONDS: Final = 600
# What a program may see of the environment: no token, no key, nothing of the account.
_PASSED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "TZ")


class RecordError(FlowflareError):
    """A commit that cannot be recorded."""


@dataclass(frozen=True)
class CommitRecording:
    """What every stack of a commit declares, dumped.

    Attributes:
        project: the project's name.
        stacks: stack to its recording as `engine.recording.dump` makes it, and in `words` what is
            different in every stack by nature with what stands for it.
        texts: long texts by digest.
    """

    project: str
    stacks: Mapping[str, Mapping[str, Any]]
    texts: Mapping[str, str]


def start(root: Path, stacks: Sequence[str] | None, key: bytes) -> "subprocess.Popen[str]":
    """Starts recording the project in a folder.

    Args:
        root: the project's folder in a checkout.
        stacks: the stacks to record; None for all that have a file.
        key: stamps secrets.
    """
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    environment |= {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "FLOWFLARE_RECORDING": "1",
    }
    if (root / "infra" / "flowflare" / "__init__.py").is_file():
        environment["PYTHONPATH"] = str(root / "infra")
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=root,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    request = {"root": str(root), "stacks": stacks, "key": base64.b64encode(key).decode()}
    assert process.stdin is not None
    process.stdin.write(json.dumps(request))
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: "subprocess.Popen[str]") -> CommitRecording:
    """Waits for a recording.

    Raises:
        RecordError: the process failed, or its code is of another format.
    """
    try:
        out, err = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise RecordError(f"recording took longer than {_SECONDS // 60} minutes") from None
    try:
        raw = json.loads(out.rpartition("\0")[2])
    except ValueError:
        raise RecordError(_reason(err)) from None
    if raw.get("format") != FORMAT:
        raise RecordError(f"its code records in format {raw.get('format')}, not {FORMAT}")
    return CommitRecording(raw["project"], raw["stacks"], raw["texts"])


def _reason(err: str) -> str:
    if "ModuleNotFoundError" in err and "'flowflare." in err:
        return "its code is older than recordings"
    return next((line for line in reversed(err.splitlines()) if line.strip()), "it ended silently")


def main() -> None:
    """Records what standard input asks for, to standard output after a NUL byte."""
    from flowflare.config.files import read_project, stacks_in
    from flowflare.engine.recording import Recorded, Stamps, Texts, dump, record

    request = json.loads(sys.stdin.read())
    root = Path(request["root"])
    stamps, texts = Stamps(base64.b64decode(request["key"])), Texts()
    names = request["stacks"]
    if names is None:
        names = stacks_in(root)
    stacks = {}
    project = ""
    for name in names:
        words: dict[str, str] = {}
        try:
            read = read_project(root, name)
            project, words = read.name, _words(read)
            recorded = record(read, stamps)
        except FlowflareError as error:
            recorded = Recorded(error=str(error))
        stacks[name] = dump(recorded, stamps, texts) | {"words": words}
    answer = {"format": FORMAT, "project": project, "stacks": stacks, "texts": texts.by_digest}
    # A program may print: what stands before the NUL is its.
    sys.stdout.write("\0" + json.dumps(answer))


def _words(project: "Project") -> dict[str, str]:
    """What is different in every stack by nature, and what stands for it in a common report."""

    def value(key: str) -> str:
        found = project.values.get(f"flowflare:{key}")
        return found.text if found is not None and not found.secret else ""

    environment = value("environment") or project.stack
    own = names.physical_name(value("tenant") or None, environment, "")
    common = "<tenant>-<environment>-flowflare" if value("tenant") else "<environment>-flowflare"
    words = {own: common, f"urn:pulumi:{project.stack}::": "urn:pulumi:<stack>::"}
    account = value("accountId")
    return words | ({account: "<account>"} if account else {})


if __name__ == "__main__":
    main()
