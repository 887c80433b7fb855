"""Every file reads as plain English: none of the worst habits is in a sentence or a name."""

from pathlib import Path

import pytest

from tests.house.plain_english import SUFFIXES, Finding, describes_result, find_habits, read_file
from tests.house.test_house_rules import FILES, relative

pytestmark = pytest.mark.xdist_group("syntax")  # one worker parses the modules

#: Files that must not be rewritten, and words that are fixed: a path, words of the finding, why.
ALLOWED = (
    ("infra/flowflare/review/entries.py", "changed", "policies of users read stack.plan.changed"),
    ("infra/flowflare/values/events.py", "changed", "callers of the stacks read plan.changed"),
    ("infra/flowflare/render/packages.py", "packages left out", "recordings contain this line"),
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


def test_every_file_reads_as_plain_english() -> None:
    skipped = tuple(path for path, word, _ in ALLOWED if not word)
    names = {relative(path): path for path in FILES if path.suffix in SUFFIXES}
    findings = [
        finding
        for name, path in names.items()
        if not name.startswith(skipped)
        for finding in read_file(path, name)
        if not is_allowed(finding)
    ]
    assert not findings, "\n" + "\n".join(map(str, findings))


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
