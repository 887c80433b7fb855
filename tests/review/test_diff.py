"""`flowflare diff` from end to end, with commits that the test makes."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from flowflare.review import html, markdown
from flowflare.review.checkout import find_repository
from flowflare.review.commits import CommitQuery, compare_commits
from flowflare.review.record import record_commits
from flowflare.review.report import Report
from flowflare.review.report_text import write_lines
from flowflare.review.text import join_lines
from tests.cli.command import CliResult, flowflare
from tests.review.conftest import PULUMI, Repo, stack_file, track_tenants

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/reference/schemas/flowflare.report.schema.json").read_text(
        encoding="utf-8"
    )
)
# The resource type without the 300,000 lines of its package.
RAW = """\
import pulumi
made = {"accountId": "a", "queueName": "q"}
pulumi.CustomResource("cloudflare:index/queue:Queue", "q", made)
"""


def debug(repo: Repo) -> str:
    files = {f"Pulumi.{name}.yaml": stack_file(name, debug="true") for name in ("ann", "bea")}
    return repo.commit(files, "head")


def report(repo: Repo, **options: Any) -> Report:
    return compare_commits(repo.project, CommitQuery("HEAD~1", **options))


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = track_tenants(tmp_path_factory.mktemp("diff") / "with space", "my project")
    debug(made)
    return made


@pytest.fixture(scope="module")
def comparison(repo: Repo) -> Report:
    return report(repo)


def test_the_same_change_of_two_different_tenants_is_one_section(comparison: Report) -> None:
    (section,) = comparison.sections
    assert (section.stacks, section.kind, section.risk) == (("ann", "bea"), "changed", "restarts")
    assert section.review is not None
    (entry,) = [entry for entry in section.review.entries if entry.op != "same"]
    lines = [line for difference in entry.differences for line in difference.lines]
    assert '-  "debug": false,' in lines
    assert not [line for line in lines if "example" in line]
    assert (comparison.counts.update, comparison.api_calls, comparison.exit_code) == (2, 2, 2)


@pytest.mark.long
def test_the_same_commits_give_the_same_bytes_in_another_folder(
    repo: Repo, comparison: Report, tmp_path: Path
) -> None:
    repo.git("clone", "-q", str(repo.top), str(tmp_path / "other"))
    other = Repo(tmp_path / "other", tmp_path / "other/my project")
    assert report(other).model_dump_json() == comparison.model_dump_json()


def test_the_command_writes_json_that_follows_its_schema(repo: Repo) -> None:
    words = ("diff", "HEAD~1", "--cwd", str(repo.project), "--stack", "ann")
    said = flowflare(*words, "--format", "json", "--exit-code")
    assert said.code == 2
    document = json.loads(said.out)
    jsonschema_rs.validate(SCHEMA, document)
    assert Report.model_validate(document).sections[0].stacks == ("ann",)


@pytest.mark.long
def test_one_run_writes_each_file_in_the_format_of_its_extension(
    repo: Repo, tmp_path: Path
) -> None:
    folder = tmp_path / "plan"
    words = ("diff", "HEAD~1", "--cwd", str(repo.project), "--stack", "ann")
    files = [word for end in ("json", "html", "md", "txt") for word in ("-o", f"{folder}/r.{end}")]
    assert flowflare(*words, *files) == CliResult(0, "", "")
    made = Report.model_validate_json((folder / "r.json").read_text(encoding="utf-8"), strict=True)
    assert (folder / "r.html").read_text(encoding="utf-8") == html.render(made)
    assert (folder / "r.md").read_text(encoding="utf-8") == markdown.render(made)
    assert (folder / "r.txt").read_text(encoding="utf-8") == join_lines(write_lines(made))


def test_a_file_with_another_extension_needs_a_format(repo: Repo) -> None:
    said = flowflare("diff", "HEAD~1", "--cwd", str(repo.project), "-o", "report.pdf")
    assert said.code == 2
    assert "give --format" in said.err


def test_a_stack_that_neither_commit_has_is_refused(repo: Repo) -> None:
    said = flowflare("diff", "HEAD~1", "--cwd", str(repo.project), "--stack", "other")
    assert said.code == 1
    assert "Pulumi.other.yaml: neither commit has it" in said.err


def test_without_changes_the_exit_code_is_0(bare: Repo) -> None:
    bare.commit({"Pulumi.yaml": PULUMI})
    said = flowflare("diff", "HEAD", "--cwd", str(bare.project), "--exit-code")
    assert (said.code, "Nothing changes in 0 stacks." in said.out) == (0, True)


def program(repo: Repo, base: str | None, head: str, **stacks: str) -> Report:
    files: dict[str, str | None] = {"Pulumi.yaml": "name: p\nruntime: python\n"}
    files |= {"Pulumi.one.yaml": stacks.get("one", ""), "__main__.py": base}
    repo.commit({name: text for name, text in files.items() if text is not None}, "base")
    repo.commit({"__main__.py": head, "Pulumi.one.yaml": stacks.get("later", "")}, "head")
    return report(repo)


def test_a_users_own_resources_are_shown(bare: Repo) -> None:
    head = RAW.replace('"queueName": "q"', '"queueName": "other"')
    (section,) = program(bare, RAW, head).sections
    assert section.review is not None
    assert [(entry.name, entry.changes[0].new) for entry in section.review.entries] == [
        ("q", "other")
    ]


HOSTILE = """\
import os, sys
print("\\0" + '{"format": 1}'); os.write(1, b'{"end": true}\\n'); os.write(2, b"noise")
if os.fork() == 0:
    os.write(1, b"child")
assert not [n for n in os.environ if "TOKEN" in n or "AWS" in n], os.environ
"""


def test_a_program_that_prints_and_forks_does_not_affect_its_recording(
    bare: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "t")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "k")
    (section,) = program(
        bare, RAW, HOSTILE + RAW.replace('"queueName": "q"', '"queueName": "r"')
    ).sections
    assert (section.kind, section.error) == ("changed", "")


@pytest.mark.long
def test_a_program_that_ends_the_process_is_reported(bare: Repo) -> None:
    (section,) = program(bare, RAW, "import os\nos._exit(3)\n").sections
    assert section.kind == "not-recorded"
    assert section.error == "its program ended the process, exit code 3"


def test_a_program_has_no_network_access(bare: Repo) -> None:
    head = "import socket\nsocket.create_connection(('127.0.0.1', 9))\n"
    (section,) = program(bare, RAW, head).sections
    assert "a recording has no network access" in section.error


@pytest.mark.long
def test_after_a_failing_base_only_head_is_shown(bare: Repo) -> None:
    found = program(bare, "raise ValueError('broken')\n", RAW)
    (section,) = found.sections
    assert (section.kind, section.error) == ("head-alone", "__main__.py:1: ValueError: broken")
    assert section.review is not None
    assert [entry.op for entry in section.review.entries] == ["create"]


@pytest.mark.long
def test_a_base_without_the_project_is_noted(bare: Repo) -> None:
    bare.commit({"README.md": "nothing yet"})
    files = {"Pulumi.yaml": "name: p\nruntime: python\n", "Pulumi.one.yaml": ""}
    bare.commit(files | {"__main__.py": RAW})
    found = report(bare)
    assert [note.kind for note in found.notes] == ["base-not-recorded"]
    assert [section.kind for section in found.sections] == ["head-alone"]


def test_a_rewritten_secret_stays_encrypted(bare: Repo) -> None:
    key = 'pulumi.Config("p").require_secret("key")'
    code = RAW.replace('"queueName": "q"', f'"queueName": {key}')
    stack = "encryptionsalt: v1:x\nconfig:\n  p:key:\n    secure: v1:{}\n"
    found = program(bare, code, code, one=stack.format("old"), later=stack.format("new"))
    (section,) = found.sections
    assert section.review is not None
    (change,) = section.review.entries[0].changes
    assert (change.old, change.new) == ("[secret]", "[secret]")
    assert "sealed-" not in found.model_dump_json()


def test_removing_a_stacks_file_deletes_nothing(bare: Repo) -> None:
    files = {"Pulumi.yaml": "name: p\nruntime: python\n", "__main__.py": RAW}
    bare.commit(files | {"Pulumi.one.yaml": "", "Pulumi.two.yaml": ""}, "base")
    bare.commit({"Pulumi.one.yaml": None}, "head")
    found = report(bare)
    (section,) = found.sections
    assert (section.stacks, section.kind, section.risk) == (("one",), "removed", "safe")
    assert section.review is not None
    assert [(entry.op, entry.name) for entry in section.review.entries] == [("same", "q")]
    assert (found.unchanged, found.counts.delete, found.exit_code) == (("two",), 0, 2)
    text = join_lines(write_lines(found))
    for shown in (text, markdown.render(found), html.render(found)):
        assert "Merging this deletes nothing" in shown
        assert "flowflare destroy --stack one" in shown
        assert "before the merge or after it" in shown


def test_a_program_that_never_ends_is_stopped(bare: Repo, tmp_path: Path) -> None:
    code = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\ntime.sleep(60)\n"
    files = {"Pulumi.yaml": "name: p\nruntime: python\n", "__main__.py": code}
    bare.commit(files | {"Pulumi.one.yaml": "", "Pulumi.two.yaml": ""})
    found = find_repository(bare.project)
    checkout = found.check_out(found.find_commit("HEAD"), tmp_path / "out")
    patience = 4
    (recorded,) = record_commits([checkout], None, b"key", patience=patience)
    while not recorded.stacks:  # the machine is slow: the time was up before the program ran
        patience *= 2
        (recorded,) = record_commits([checkout], None, b"key", patience=patience)
    assert {stack: raw["error"] for stack, raw in recorded.stacks.items()} == {
        "one": f"its program took longer than {patience} s",
        "two": f"its program took longer than {patience} s while one was recorded",
    }


DYNAMIC = """\
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, Resource, ResourceProvider


class Provider(ResourceProvider):
    def check(self, olds, news):
        raise AssertionError("a comparison runs no code of a recording")

    def diff(self, _id, olds, news):
        raise AssertionError("a comparison runs no code of a recording")

    def create(self, props):
        raise AssertionError("a recording creates nothing")


class Mark(Resource):
    def __init__(self, name, words):
        super().__init__(Provider(), name, {"words": words})


Mark("theirs", "old")
"""


@pytest.mark.long
def test_a_users_dynamic_resources_are_compared_but_not_run(tmp_path: Path) -> None:
    fleet = (Path(__file__).parents[2] / "infra/__main__.py").read_text(encoding="utf-8")
    made = track_tenants(tmp_path / "dynamic", program=f"{fleet}\n{DYNAMIC}")
    made.commit({"infra/__main__.py": f"{fleet}\n{DYNAMIC}".replace('"old"', '"new"')})
    (section,) = report(made, stacks=("ann",)).sections
    assert (section.kind, section.error, section.risk) == ("changed", "", "safe")
    assert section.review is not None
    (entry,) = [entry for entry in section.review.entries if entry.op != "same"]
    (change,) = entry.changes
    assert (entry.op, entry.name, entry.kind) == ("update", "theirs", "Resource")
    assert (change.path, change.old, change.new) == ("words", "old", "new")
    assert section.review.refusals == ()
    assert len(section.review.entries) > 5


@pytest.mark.long
def test_uncommitted_changes_are_noted(bare: Repo) -> None:
    bare.commit({"Pulumi.yaml": PULUMI})
    (bare.project / "new.txt").write_text("x", encoding="utf-8")
    found = compare_commits(bare.project, CommitQuery("HEAD"))
    assert [note.kind for note in found.notes] == ["uncommitted"]
