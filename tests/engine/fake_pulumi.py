"""A `pulumi` program for tests without the CLI: plays a recorded stream, keeps an exported state.

It lives in a folder: `stream` names the recording that the next operation plays, `export.json` is
the deployment, `says` what a command without a recording fails with, `calls` what was asked of it,
`versions` how often its version was.
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
        with (folder / "versions").open("a") as asked:
            asked.write("asked\n")
        return say(VERSION)
    with (folder / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    said = folder / "says"
    if said.exists() and words[0] in (*OPERATIONS, "cancel"):
        sys.stderr.write(said.read_text())
        return 255
    if words[0] in OPERATIONS:
        return play(folder, words)
    if words[:2] == ["stack", "export"]:
        return say((folder / "export.json").read_text())
    if words[:2] == ["stack", "import"]:
        (folder / "export.json").write_text(sys.stdin.read())
    return say(json.dumps(HISTORY) if words[:2] == ["stack", "history"] else "{}")


def say(text: str) -> int:
    sys.stdout.write(text)
    return 0


def play(folder: Path, words: list[str]) -> int:
    names = (folder / "stream").read_text().split()
    (folder / "stream").write_text(" ".join(names[1:] or names))
    lines = (HERE / "streams" / f"{names[0]}.jsonl").read_text().splitlines()
    with Path(words[words.index("--event-log") + 1]).open("w") as log:
        log.writelines(f"{line}\n" for line in lines)
    summaries = [one["summaryEvent"] for one in map(json.loads, lines) if "summaryEvent" in one]
    return 0 if summaries[-1]["result"] == "succeeded" else 255


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
