"""Play recorded event streams as a `pulumi` program, for tests without the Pulumi CLI.

All of its files are in one folder. `stream` names the recordings that the next operations play;
`export.json` is the deployment. If `error` exists, operations fail with its text. Every command is
added to `calls`, and every `pulumi version` to `versions`.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
VERSION = "v3.274.1"
OPERATIONS = ("preview", "up", "destroy")
HISTORY = [
    {
        "kind": "update",
        "startTime": "2026-11-23T19:00:00.000Z",
        "endTime": "2026-11-23T19:00:01.000Z",
        "message": "",
        "environment": {},
        "config": {},
        "result": "succeeded",
        "version": 1,
        "resourceChanges": {},
    }
]


def main(folder: Path, words: list[str]) -> int:
    words = [word for word in words if word != "--non-interactive"]
    if words == ["version"]:
        with (folder / "versions").open("a") as versions:
            versions.write("version\n")
        return write(VERSION)
    with (folder / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    error = folder / "error"
    if error.exists() and words[0] in (*OPERATIONS, "cancel"):
        sys.stderr.write(error.read_text())
        return 255
    if words[0] in OPERATIONS:
        return play(folder, words)
    if words[:2] == ["stack", "export"]:
        return write((folder / "export.json").read_text())
    if words[:2] == ["stack", "import"]:
        (folder / "export.json").write_text(sys.stdin.read())
    return write(json.dumps(HISTORY) if words[:2] == ["stack", "history"] else "{}")


def write(text: str) -> int:
    sys.stdout.write(text)
    return 0


def play(folder: Path, words: list[str]) -> int:
    names = (folder / "stream").read_text().split()
    (folder / "stream").write_text(" ".join(names[1:] or names))
    lines = (HERE / "streams" / f"{names[0]}.jsonl").read_text().splitlines()
    with Path(words[words.index("--event-log") + 1]).open("w") as log:
        log.writelines(f"{line}\n" for line in lines)
    [summary] = [event for event in map(json.loads, lines) if "summaryEvent" in event]
    return 0 if summary["summaryEvent"]["result"] == "succeeded" else 255


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
