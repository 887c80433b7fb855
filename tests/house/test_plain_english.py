"""People read our sentences once: the worst habits are held at zero, or may only become fewer.

To clean a room, write its sentences again and move it from `CEILINGS` to `CLEAN`.
"""

from functools import cache
from pathlib import Path

import pytest

from tests.house.plain_english import SUFFIXES, Finding, describes_result, find_habits, read_file
from tests.house.test_house_rules import FILES, relative

CLEAN = (
    "bench",
    "docs",
    "infra/flowflare/adoption",
    "infra/flowflare/api",
    "infra/flowflare/cli",
    "infra/flowflare/config",
    "infra/flowflare/emulator",
    "infra/flowflare/engine",
    "infra/flowflare/fleet",
    "infra/flowflare/kinds",
    "infra/flowflare/migrations",
    "infra/flowflare/model",
    "infra/flowflare/reading",
    "infra/flowflare/redaction",
    "infra/flowflare/render",
    "infra/flowflare/resources",
    "infra/flowflare/review",
    "infra/flowflare/rollout",
    "infra/flowflare/secrets",
    "infra/flowflare/state",
    "infra/flowflare/values",
    "templates",
    "tests/canaries",
    "tests/cli",
    "tests/docs",
    "tests/emulator",
    "tests/faults",
    "tests/fleet",
    "tests/review",
    "tests/state",
    "tests/unit/adoption",
    "tests/unit/api",
    "tests/unit/config",
    "tests/unit/engine",
    "tests/unit/fleet",
    "tests/unit/migrations",
    "tests/unit/model",
    "tests/unit/reading",
    "tests/unit/redaction",
    "tests/unit/render",
    "tests/unit/resources",
    "tests/unit/review",
    "tests/unit/rollout",
    "tests/unit/secrets",
    "tests/unit/state",
    "tests/worker",
    "worker_src",
)
#: Rooms that are not rewritten yet, each with its number of findings, which may only fall.
CEILINGS: dict[str, int] = {
    "tests/e2e": 144,
    "tests/engine": 120,
    "tests/support": 6,
}
#: Files that nobody may rewrite, and words that are not ours: a path, a word in the finding, why.
#: The check reads them as clean.
ALLOWED = (
    ("infra/flowflare/review/entries.py", "changed", "policies of users read stack.plan.changed"),
    ("infra/flowflare/values/events.py", "changed", "callers of the stacks read plan.changed"),
    ("infra/flowflare/render/packages.py", "packages left out", "recordings contain this line"),
    ("migrations/", "", "states hold each file's checksum, and a comment changes it"),
    ("changelog.d/", "", "towncrier moves the fragments into CHANGELOG.md, then deletes them"),
    ("docs/reference/cli.md", "somebody", "the help of the commands, generated from cli/"),
    ("tests/golden/", "", "expected output, which is rewritten with what prints it"),
    ("tests/worker/released/0", "", "bundles of released versions never change"),
    ("worker_src/flowflare/", "participle", "identifiers are in the bundle of deployed services"),
    ("worker_src/flowflare/src/", "told", "identifiers and texts are in that bundle"),
    ("worker_src/flowflare/src/event-log.js", "one", "a local name in that bundle"),
    ("worker_src/flowflare/src/list-request.js", "stuck is said of runs", "a text in that bundle"),
    ("worker_src/flowflare/src/openapi", "", "texts of the API's description, in that bundle"),
    ("tests/house/", "", "the check quotes the habits that it looks for"),
)


def is_allowed(finding: Finding) -> bool:
    return any(
        finding.path.startswith(path) and word in f"{finding.habit} {finding.text}"
        for path, word, _ in ALLOWED
    )


def room_of(path: str) -> str:
    """Return the longest listed path that contains the file."""
    rooms = [room for room in (*CLEAN, *CEILINGS) if path == room or path.startswith(f"{room}/")]
    return max(rooms, key=len, default="")


@cache
def findings_by_room() -> dict[str, list[Finding]]:
    rooms: dict[str, list[Finding]] = {}
    for path in FILES:
        name = relative(path)
        if not (room := room_of(name)):
            continue
        if path.suffix in SUFFIXES and not any(name.startswith(p) for p, w, _ in ALLOWED if not w):
            findings = [each for each in read_file(path, name) if not is_allowed(each)]
            rooms.setdefault(room, []).extend(findings)
    return rooms


@pytest.mark.parametrize("room", CLEAN)
def test_a_clean_room_reads_as_plain_english(room: str) -> None:
    findings = findings_by_room().get(room, [])
    assert not findings, "\n" + "\n".join(map(str, findings))


@pytest.mark.parametrize("room", CEILINGS)
def test_a_room_that_is_not_rewritten_yet_gets_no_worse(room: str) -> None:
    findings = findings_by_room().get(room, [])
    assert len(findings) <= CEILINGS[room], "\n" + "\n".join(map(str, findings))


@pytest.mark.parametrize(
    ("habit", "sentence"),
    [
        ("is no <noun>", "'x' is no Cloudflare account ID."),
        ("is no <noun>", "The answer is\nnone."),
        ("somebody", "A port that somebody else holds."),
        ("somebody", "Whoever asks gets a token."),
        ("stands", "The number stands before the JSON."),
        ("stands", "Where the file lies."),
        ("told", "The child is told everything."),
        ("goes on", "The same command goes on after a crash."),
        ("left out", "A binding whose target is missing is left out."),
        ("who for a thing", "A script who has not changed costs no call."),
        ("None where", "The token, None where no emulator made one."),
    ],
)
def test_a_habit_is_found(habit: str, sentence: str) -> None:
    assert [found for found, _, _ in find_habits(sentence)] == [habit]


@pytest.mark.parametrize(
    "sentence",
    [
        "This version is no longer supported.",
        "There is no such run.",
        "The value is None.",
        "`*` stands for any host.",
        "People who deploy need a token.",
        "None if the run does not exist.",
    ],
)
def test_plain_sentences_pass(sentence: str) -> None:
    assert list(find_habits(sentence)) == []


@pytest.mark.parametrize("name", ["opened", "_kept", "told", "_shown", "gone"])
def test_a_function_that_is_a_participle_is_found(name: str) -> None:
    assert describes_result(name)


@pytest.mark.parametrize("name", ["open_stack", "_keep", "feed", "is_protected", "list_changed"])
def test_a_function_that_is_a_verb_passes(name: str) -> None:
    assert not describes_result(name)


def test_comments_strings_and_names_of_every_language_are_read(tmp_path: Path) -> None:
    texts = {
        "a.py": '"""Says what is told."""\ndef kept(): ...  # somebody\n',
        "b.mjs": "/** Says what is told. */\nfunction kept() {} // somebody\n",
        "c.sql": "-- What is told.\nSELECT 1; -- somebody\n",
        "d.md": "What is `told` is told.\n```\nsomebody\n```\n",
        "e.html.j2": "<p>{{ told }} is told</p>\n",
    }
    counts = {}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        counts[name] = len(read_file(tmp_path / name, name))
    assert counts == {"a.py": 3, "b.mjs": 3, "c.sql": 2, "d.md": 1, "e.html.j2": 1}
