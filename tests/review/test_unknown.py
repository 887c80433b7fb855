"""What `flowflare diff` cannot compare is unknown in every format, and fails the check."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from flowflare.review import html, markdown
from flowflare.review.against_state import report_against_state
from flowflare.review.commits import CommitQuery, compare_commits
from flowflare.review.facts import write_headline
from flowflare.review.report import Report
from tests.cli.command import CliResult, flowflare
from tests.docs.generate_schemas import DOCUMENTS, document_schema
from tests.review.conftest import Repo, track_tenants

RAW = """\
import pulumi
made = {"accountId": "a", "queueName": "q"}
pulumi.CustomResource("cloudflare:index/queue:Queue", "q", made)
"""
BROKEN = "config: {p:days: [}\n"


def project(repo: Repo, **stacks: str) -> None:
    """Write a project with a queue in each of its stacks."""
    files = {"Pulumi.yaml": "name: p\nruntime: python\n", "__main__.py": RAW}
    repo.commit(files | {f"Pulumi.{name}.yaml": text for name, text in stacks.items()}, "base")


@pytest.fixture
def broken(bare: Repo) -> Repo:
    """Make a pull request that breaks the file of one of two stacks."""
    project(bare, dev="", prod="")
    bare.commit({"Pulumi.prod.yaml": BROKEN}, "head")
    return bare


def diff(repo: Repo, *words: str) -> CliResult:
    return flowflare("diff", "HEAD~1", "--cwd", str(repo.project), "--exit-code", *words)


def report(repo: Repo) -> Report:
    return compare_commits(repo.project, CommitQuery("HEAD~1"))


def test_a_stack_that_cannot_be_compared_is_unknown_in_every_form(
    broken: Repo, tmp_path: Path
) -> None:
    files = {form: tmp_path / f"r.{form}" for form in ("json", "txt", "md", "html")}
    said = diff(broken, *(word for file in files.values() for word in ("-o", str(file))))
    assert said.code == 1
    document = json.loads(files["json"].read_text("utf-8"))
    jsonschema_rs.validate(document_schema(*DOCUMENTS["report"]), document)
    assert (document["risk"], document["exit_code"]) == ("unknown", 1)
    assert document["sections"][0]["risk"] == "unknown"
    text = files["txt"].read_text("utf-8")
    assert text.splitlines()[-1].endswith("; unknown")
    assert "safe" not in text
    page = files["md"].read_text("utf-8")
    assert "## Not compared in `p`" in page
    assert "> [!CAUTION]\n> **Unknown**" in page
    assert "> - `prod`: The head could not be recorded" in page
    assert '<section class="box unknown">' in files["html"].read_text("utf-8")


def test_the_documented_check_fails(broken: Repo) -> None:
    """Run the line that the page on pull requests had in an earlier release."""
    script = f"(exit {diff(broken).code}) || [ $? -eq 2 ]"
    assert subprocess.run(["/bin/sh", "-c", script], check=False).returncode == 1


@pytest.mark.long
def test_a_base_that_could_not_be_recorded_is_also_unknown(bare: Repo) -> None:
    """One pull request could break a stack's file, and a second change the stack unseen."""
    project(bare, prod=BROKEN)
    bare.commit({"Pulumi.prod.yaml": ""}, "head")
    found = report(bare)
    assert [(section.kind, section.risk) for section in found.sections] == [
        ("head-alone", "unknown")
    ]
    assert (found.risk, found.exit_code) == ("unknown", 1)
    assert write_headline(found) == "Unknown: 1 of 1 stack would change"


@pytest.mark.long
def test_a_new_project_is_not_unknown(bare: Repo) -> None:
    bare.commit({"README.md": "nothing yet"})
    project(bare, prod="")
    found = report(bare)
    assert (found.risk, found.exit_code) == ("safe", 2)
    assert "The project is new" in found.notes[0].text


@pytest.mark.long
def test_a_project_that_moves_to_another_folder_is_unknown(tmp_path: Path) -> None:
    from tests.review.conftest import repository

    old = repository(tmp_path / "repo", "old")
    project(old, prod="")
    old.git("mv", "old", "new")
    moved = Repo(old.top, old.top / "new")
    moved.commit({}, "head")
    found = report(moved)
    assert (found.risk, found.exit_code) == ("unknown", 1)
    assert "in that commit the project p is in old" in found.sections[0].error


@pytest.mark.long
def test_a_head_that_cannot_be_recorded_at_all_is_unknown(bare: Repo) -> None:
    project(bare, prod="")
    bare.commit({"Pulumi.yaml": "name: [\n"}, "head")
    found = report(bare)
    assert (found.risk, found.exit_code) == ("unknown", 1)


def test_data_loss_does_not_hide_unknown_stacks(bare: Repo) -> None:
    project(bare, dev="", prod="")
    without = "import pulumi\n\nif pulumi.get_stack() != 'dev':\n"
    code = without + "".join(f"    {line}\n" for line in RAW.splitlines()[1:])
    bare.commit({"Pulumi.prod.yaml": BROKEN, "__main__.py": code}, "head")
    found = report(bare)
    assert (found.risk, found.exit_code) == ("loses-data", 1)
    assert [section.risk for section in found.sections] == ["loses-data", "unknown"]


def test_an_unknown_stack_is_allowed_by_name_and_the_report_has_the_reason(
    broken: Repo, tmp_path: Path
) -> None:
    allowed = ("--allow-unknown", "prod=the next change repairs it")
    said = diff(broken, *allowed)
    assert said.code == 2
    said_why = "The result of `prod` may be unknown (--allow-unknown): the next change repairs it"
    assert said_why in said.out
    assert said.out.splitlines()[-1].endswith("; unknown")
    file = tmp_path / "r.json"
    assert diff(broken, *allowed, "-o", str(file)).code == 2
    found = Report.model_validate_json(file.read_text("utf-8"), strict=True)
    assert found.allowed_unknown == {"prod": "the next change repairs it"}
    assert "the next change repairs it" in markdown.render(found)
    assert "the next change repairs it" in html.render(found)


@pytest.mark.long
def test_all_names_that_allow_nothing_are_reported_at_once(broken: Repo) -> None:
    said = diff(broken, "--allow-unknown", "dev=why", "--allow-unknown", "prd=why")
    assert said.code == 2
    words = " ".join(said.err.replace("│", " ").split())
    assert "dev is compared, not unknown: remove it" in words
    assert "prd is not a stack of either commit" in words
    assert said.out == ""


@pytest.mark.parametrize("word", ["prod", "prod=", "=why", "prod= "])
def test_a_name_without_a_reason_is_a_usage_problem(broken: Repo, word: str) -> None:
    said = diff(broken, "--allow-unknown", word)
    assert (said.code, f"'{word}' is not STACK=REASON" in said.err) == (2, True)


PAGE = (Path(__file__).parents[2] / "docs/how-to/pull-requests.md").read_text("utf-8")


def required_check(repo: Repo, more: str = "") -> int:
    """Run the check of docs/how-to/pull-requests.md as a CI job would."""
    section = PAGE.partition("## Required checks")[2]
    script = section.partition("```shell\n")[2].partition("```")[0]
    assert "origin/main HEAD" in script
    script = script.replace("origin/main HEAD", f"HEAD~1 HEAD {more}")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", script],
        cwd=repo.project,
        env=os.environ | {"PATH": path},
        check=False,
        capture_output=True,
    )
    return done.returncode


@pytest.mark.long
def test_the_required_check_fails_on_an_unknown_stack(broken: Repo) -> None:
    assert required_check(broken) == 1
    assert required_check(broken, "--allow-unknown prod=later") == 0


@pytest.mark.long
def test_the_required_check_fails_on_a_needless_allowance(broken: Repo) -> None:
    """A usage error also exits with 2, as a change does."""
    assert required_check(broken, "--allow-unknown prod=later --allow-unknown dev=later") == 1


ESC = "environment:\n  - acme/prod\n"
READS = """\
import pulumi
config = pulumi.Config("p")
made = {"accountId": "a", "queueName": config.require("queue"), "settings": config.require_int("n")}
pulumi.CustomResource("cloudflare:index/emailRoutingAddress:EmailRoutingAddress", "q", made)
"""


def test_a_stack_with_an_environment_is_compared_with_a_note_about_its_values(
    bare: Repo,
) -> None:
    project(bare, prod=ESC)
    bare.commit({"__main__.py": READS, "Pulumi.prod.yaml": ESC + "config: {p:n: 1}\n"}, "base")
    bare.commit({"__main__.py": READS.replace('"a"', '"b"')}, "head")
    found = report(bare)
    assert (found.risk, found.exit_code) == ("safe", 2)
    assert [section.kind for section in found.sections] == ["changed"]
    (note,) = found.notes
    assert note.text == (
        "The values of Pulumi ESC's `environment:` (acme/prod) are not read; stand-ins replace "
        "them in prod."
    )


def test_a_stack_with_an_environment_is_unknown_against_its_state(bare: Repo) -> None:
    project(bare, prod=ESC + "config: {p:n: 1}\n")
    (section,) = report_against_state(bare.project, [], {}).sections
    assert (section.stacks, section.risk) == (("prod",), "unknown")
    assert "the values of `environment:` (acme/prod) are not read" in section.error
    assert "pulumi preview --stack prod" in section.error


def test_a_different_environment_makes_the_stack_unknown(bare: Repo) -> None:
    project(bare, prod=ESC)
    bare.commit({"Pulumi.prod.yaml": ESC.replace("acme/prod", "acme/new")}, "head")
    found = report(bare)
    assert (found.risk, found.exit_code, found.counts.changed) == ("unknown", 1, 0)
    said = "`environment` changes from `acme/prod` to `acme/new`"
    assert said in found.sections[0].doubts[0]
    assert said in markdown.render(found)
    assert "<code>acme/prod</code> to <code>acme/new</code>" in html.render(found)


@pytest.mark.long
def test_an_account_from_an_environment_has_a_stand_in(tmp_path: Path) -> None:
    """The stack file contains only `environment:`."""
    made = track_tenants(tmp_path / "shop")
    made.commit({"Pulumi.esc.yaml": ESC, "Pulumi.ann.yaml": None, "Pulumi.bea.yaml": None}, "esc")
    made.commit({"Pulumi.esc.yaml": ESC + "config: {flowflare:debug: true}\n"}, "head")
    found = report(made)
    assert [(section.stacks, section.kind, section.error) for section in found.sections] == [
        (("esc",), "changed", "")
    ]
    made.commit({"Pulumi.new.yaml": ESC}, "another")
    (section,) = report(made).sections
    assert section.review is not None
    accounts = {
        change.new
        for entry in section.review.entries
        for change in entry.changes
        if change.path in {"accountId", "account_id"}
    }
    assert accounts == {"[flowflare:accountId of the environment]"}


FOREIGN = "secretsprovider: awskms://alias/prod?region=eu-west-1\nencryptedkey: AAAA\n"


@pytest.mark.parametrize("head", [FOREIGN, ""], ids=["a key of AWS", "Pulumi Cloud's own key"])
def test_secrets_of_a_foreign_provider_are_compared_in_encrypted_form(
    bare: Repo, head: str
) -> None:
    secret = f"{head}config:\n  p:queue: {{secure: {{}}}}\n  p:n: 1\n"
    project(bare, prod=secret.replace("{}", "AAABAAAA=="))
    bare.commit({"__main__.py": READS}, "base")
    bare.commit({"Pulumi.prod.yaml": secret.replace("{}", "AAABBBBB==")}, "head")
    found = report(bare)
    assert (found.risk, found.exit_code, found.counts.update) == ("safe", 2, 1)
    kinds = [note.kind for note in found.notes]
    assert kinds == (["not-read"] if head else [])
    assert "eu-west-1" not in found.model_dump_json()
