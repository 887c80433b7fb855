"""Reports of small projects, recorded in this process as `flowflare diff` records two commits."""

import base64
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from flowflare.review.grouping import group_stacks
from flowflare.review.record import CommitRecording
from flowflare.review.recording_process import record_lines
from flowflare.review.report import Note, Report, ReportedCommit, make_report

#: A file of the project, the text in it to replace, the text to write.
Edit = tuple[str, str, str]

HERE = Path(__file__).parent
KEY = b"the key of the golden reports...."
BASE = ReportedCommit(name="main", sha="1" * 40, subject="Open the shop")
HEAD = ReportedCommit(name="HEAD", sha="2" * 40, subject="Change it")


def record(folder: Path) -> CommitRecording:
    """What every stack of a project declares, as a process of its own would have recorded it."""
    project, stacks, texts, error = "", {}, {}, ""
    for line in record_lines(folder, None, base64.b64encode(KEY).decode()):
        placed = json.loads(json.dumps(line).replace(str(folder), "<checkout>"))
        if "stack" in placed:
            project = placed["project"] or project
            texts |= placed["texts"]
            stacks[placed["stack"]] = placed["recorded"]
        error = placed.get("error", error)
    return CommitRecording(project, stacks, texts, error)


def compared(base: CommitRecording, head: CommitRecording) -> Report:
    """The report of two recordings."""
    sections, unchanged = group_stacks(base, head, KEY)
    notes = []
    if base.error and not head.error:
        text = f"The base cannot be recorded: {base.error}. Only HEAD is shown."
        notes.append(Note(kind="base-not-recorded", text=text))
    project = head.project or base.project
    return make_report(project, BASE, HEAD, sections, unchanged, notes=notes)


def laid_out(folder: Path, edits: Sequence[Edit]) -> Path:
    """The common project with some of its files edited; one without old text is written anew."""
    shutil.copytree(HERE / "project", folder)
    for file, old, new in edits:
        path = folder / file
        if not old:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new)
            continue
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new))
    return folder
