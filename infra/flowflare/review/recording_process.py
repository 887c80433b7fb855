"""Record the stacks of one commit, in a process of their own.

It is `python -m flowflare.review.recording_process` and runs with the commit's own code. It reads
the request from standard input, and writes the recording line by line to a file whose name the
program does not learn. So a program may print, fork or exit without its output being mistaken for
a recording. Network connections are refused.
"""

import base64
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from flowflare.errors import EngineError, FlowflareError
from flowflare.model import names
from flowflare.reading.boundary import RECORDED_TOPS
from flowflare.render import packages

if TYPE_CHECKING:
    from flowflare.config.files import Project, ProjectFile

#: The version of the lines that this process writes.
FORMAT: Final = 1
#: Keys of Pulumi's own files whose values are not recorded.
NOT_READ: Final = ("environment", "secretsprovider")
POLICIES: Final = "flowflare:policies"
#: Variables that this process needs only to start.
OWN_VARIABLES: Final = ("PYTHONHASHSEED", "PYTHONPATH", "PYTHONUSERBASE")
_CONNECTING: Final = frozenset({"socket.connect", "socket.getaddrinfo", "socket.sendto"})


def main() -> None:
    """Record what standard input asks for.

    The request is {root, top, stacks or null, key, packages: `installed` or `sources`, answer: a
    path}. The program cannot recognize a recording by a variable of the environment.
    """
    request = json.loads(sys.stdin.read())
    for name in OWN_VARIABLES:
        os.environ.pop(name, None)
    sys.addaudithook(_refuse_network)
    # The SDK takes a stack trace for every resource; no code reads it here.
    sys.tracebacklimit = 1
    with Path(request["answer"]).open("w", encoding="utf-8") as answer:
        own = os.getpid()
        write = _make_writer(answer)
        try:
            top = Path(request.get("top", request["root"]))
            RECORDED_TOPS.append(top.resolve())
            packages.choose_mode(request.get("packages", "installed"))
            folders = (top, Path(request["answer"]).parent)
            root, stacks, key = Path(request["root"]), request["stacks"], request["key"]
            for line in record_lines(root, stacks, key, folders):
                if os.getpid() != own:
                    os._exit(0)  # a copy of this process that the program made by forking
                write(line)
        except FlowflareError as error:
            write({"error": str(error)})


def record_lines(
    root: Path, stacks: list[str] | None, key: str, folders: Sequence[Path] = ()
) -> Iterator[dict[str, Any]]:
    """Record the stacks, line by line.

    Args:
        root: the project's folder in the checkout.
        stacks: the stacks to record; None for all that have a file.
        key: stamps secrets, in base64.
        folders: more folders whose names differ in every run: the checkout's and the process's own.

    Yields:
        First `{format, stacks}`. Then for each stack `{begin}`, and when it is recorded `{stack,
        project, texts, recorded}`; its `texts` are the long texts that no earlier line has. At the
        end `{end: true}`.
    """
    from flowflare.config.files import read_project_file
    from flowflare.engine.embedded.recording import Stamps, Texts

    shared = read_project_file(root, check=False)
    known = shared.list_stacks()
    wanted = known if stacks is None else [name for name in stacks if name in known]
    yield {"format": FORMAT, "stacks": wanted}
    names_of_run = [str(folder) for folder in (root, *folders)]
    stamps, texts = Stamps(base64.b64decode(key), names_of_run), Texts()
    for name in wanted:
        yield {"begin": name}
        before = len(texts.by_digest)
        project, recorded = _record_stack(shared, name, stamps, texts)
        new = dict(list(texts.by_digest.items())[before:])
        yield {"stack": name, "project": project, "texts": new, "recorded": recorded}
    yield {"end": True}


def _record_stack(
    shared: "ProjectFile", name: str, stamps: Any, texts: Any
) -> tuple[str, dict[str, Any]]:
    """Record one stack, and return the project's name and what the stack declares."""
    from flowflare.engine.embedded.recording import RecordedProgram, dump, record

    project, words, read = "", {}, None
    try:
        read = shared.read_stack(name)
        project, words = read.name, list_own_words(read)
        recorded = record(read, stamps)
    except FlowflareError as error:
        recorded = RecordedProgram(error=str(error))
    except Exception as error:  # noqa: BLE001 -- any failure of the program is its stack's error
        recorded = RecordedProgram(error=f"{type(error).__name__}: {error}")
    raw = dump(recorded, stamps, texts)
    for value, shown in recorded.stand_ins.items():
        raw = json.loads(json.dumps(raw).replace(value, shown))
    raw["words"] = words
    if read is not None and (keys := [key for key in read.cli_keys if key.key in NOT_READ]):
        raw["not_read"] = {key.key: key.value for key in keys}
    if read is not None and not recorded.error and POLICIES in read.values:
        from flowflare.review.policy.commits import record_policies

        raw["policies"] = record_policies(read, raw, texts.by_digest)
    return project, raw


def list_own_words(project: "Project") -> dict[str, str]:
    """Map the words that naturally differ between stacks to common words."""

    def value(key: str) -> str:
        found = project.values.get(f"flowflare:{key}")
        return found.text if found is not None and not found.secret else ""

    environment = value("environment") or project.stack
    own = names.make_physical_name(value("tenant") or None, environment, "")
    common = "<tenant>-<environment>-flowflare" if value("tenant") else "<environment>-flowflare"
    words = {own: common, f"urn:pulumi:{project.stack}::": "urn:pulumi:<stack>::"}
    root = "pulumi:pulumi:Stack::"
    words |= {f"{root}{project.name}-{project.stack}": f"{root}<stack>"}
    words |= {f"={project.stack}": "<stack>", f"={environment}": "<environment>"}
    words |= {f"={value('tenant')}": "<tenant>"} if value("tenant") else {}
    account = value("accountId")
    return words | ({account: "<account>"} if account else {})


def _make_writer(answer: TextIO) -> Callable[[dict[str, Any]], None]:
    def write(line: dict[str, Any]) -> None:
        answer.write(json.dumps(line, separators=(",", ":")) + "\n")
        answer.flush()

    return write


def _refuse_network(event: str, args: tuple[Any, ...]) -> None:
    if event not in _CONNECTING:
        return
    address = args[0] if event == "socket.getaddrinfo" else args[1]
    if isinstance(address, str | bytes) and event != "socket.getaddrinfo":
        return  # a Unix socket of this machine
    raise EngineError(
        f"the program connects to {address!r}, but a recording has no network access",
        remedy="Make the request in a dynamic resource or a data source during `up`.",
    )


if __name__ == "__main__":
    main()
