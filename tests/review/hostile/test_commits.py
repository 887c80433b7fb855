"""`flowflare diff` of commits with hostile names and texts, from git to comment and page."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from flowflare.review.report import Report
from tests.cli.command import flowflare
from tests.review.conftest import Repo, repository
from tests.review.hostile.readers import acting_in_comment, acting_in_page

ACCOUNT = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"
SOURCE = "src/<img src=x> @ann `#1` \u202e.js"
FOLDER = "sql <b>"
MIGRATIONS = ("0001_first.sql", "0002_@ann_`b`_<i>.sql")
STACKS = ("ann", "<b>@ann #1", "a`b|c", "www.evil.example \u202egnp", "no\udcfftext")
CODE = """\
const shout = `</script><b>${1}` + "```";  // @ann www.evil.example
/*
```
<img src=x onerror=alert(1)>
/merge
*/
export default { fetch: () => new Response(shout) };
"""
SQL = "-- ```\n-- </pre><b>out</b> @ann\nDROP TABLE `or``ders<b>`;\n"
POLICY = """\
from flowflare.review.policy import policy

@policy("<b>@ann", severity="warning")
def owner(stack):
    yield stack.violation("x\\n```\\n<img src=x> [a](https://evil.example)", remedy="@everyone #1")
"""
BROKEN = """\
import pulumi
from flowflare.resources import FlowflareStack

if pulumi.get_stack() == "a`b|c":
    raise ValueError("```\\n<img src=x> @ann\\n[x](https://evil.example)\\x1b[31m\\u202e")
FlowflareStack.from_config()
"""


@dataclass(frozen=True)
class Output:
    """The output of one run."""

    report: Report
    comment: str
    page: str


def project(value: str) -> str:
    client = {
        "source": SOURCE,
        "variables": {"SHOUT": value, "DATA": {"<b>@ann": ["```", value]}},
        "databases": {"ORDERS": {"migrations": FOLDER}},
    }
    config = {
        "flowflare:accountId": ACCOUNT,
        "flowflare:clients": {"value": {"orders": client}},
        "flowflare:policies": {"value": {"python": ["policies.py"]}},
    }
    return yaml.safe_dump({"name": "shop", "runtime": "python", "config": config})


def commits(top: Path) -> Repo:
    """Make two commits: the second changes every text, and its message is not UTF-8."""
    repo = repository(top, "<b>`project` @ann")
    stacks: dict[str, str | None] = {
        f"Pulumi.{name}.yaml": f"config:\n  flowflare:environment: e{number}\n"
        for number, name in enumerate(STACKS)
    }
    files = {"Pulumi.yaml": project("on"), SOURCE: CODE, "policies.py": "", "__main__.py": BROKEN}
    files |= {f"{FOLDER}/{MIGRATIONS[0]}": "CREATE TABLE a (id TEXT PRIMARY KEY);\n"}
    files["__main__.py"] = BROKEN.replace("a`b|c", "nobody")
    repo.commit(stacks | files, "base <b> @ann #1")
    repo.git("checkout", "-q", "-b", "x<b>@ann#1`b`")
    more = CODE.replace("${1}", "${2}\\`</details> @ann")
    value = "<b>`x` ```\n/merge\n@ann \u202e\x07 www.evil.example"
    changed = {"Pulumi.yaml": project(value), SOURCE: more}
    changed |= {f"{FOLDER}/{name}": SQL for name in MIGRATIONS[1:]}
    repo.commit(changed | {"policies.py": POLICY, "__main__.py": BROKEN}, "x")
    rewrite_message(repo, b"```<img src=x> @ann #1 [x](https://evil.example) \xff\xfe \xe2\x80\xae")
    return repo


def rewrite_message(repo: Repo, message: bytes) -> None:
    """Replace the last commit's message byte by byte; `git commit` would convert it."""
    headers = repo.git("cat-file", "commit", "HEAD").partition("\n\n")[0]
    (repo.top / ".git/raw").write_bytes(headers.encode() + b"\n\n" + message + b"\n")
    repo.git("reset", "-q", repo.git("hash-object", "-t", "commit", "-w", ".git/raw"))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Output:
    repo = commits(tmp_path_factory.mktemp("hostile") / "top")
    out = repo.top.parent / "plan"
    files = [word for form in ("json", "md", "html") for word in ("-o", f"{out}/r.{form}")]
    said = flowflare("diff", "main", "x<b>@ann#1`b`", "--cwd", str(repo.project), *files)
    assert (said.code, said.out) == (0, ""), said.err
    text = {form: (out / f"r.{form}").read_text("utf-8") for form in ("json", "md", "html")}
    report = Report.model_validate_json(text["json"], strict=True)
    return Output(report, text["md"], text["html"])


def test_the_report_contains_every_text(output: Output) -> None:
    kinds = {stack: section.kind for section in output.report.sections for stack in section.stacks}
    alone = {stack for stack, kind in kinds.items() if kind == "not-recorded"}
    assert alone == {"a`b|c", "no?text"}
    assert {*kinds} - alone == {*STACKS[:2], STACKS[3]}
    said = json.dumps(output.report.model_dump(mode="json"), ensure_ascii=False)
    assert "<img src=x> @ann" in said
    assert "0002_@ann_`b`_<i>.sql" in said
    assert output.report.head.subject.startswith("```<img src=x> @ann #1")
    assert output.report.policy


def test_no_text_has_an_effect_in_the_comment(output: Output) -> None:
    assert acting_in_comment(output.comment) == []


def test_no_text_has_an_effect_on_the_page(output: Output) -> None:
    assert acting_in_page(output.page) == []
