"""Policies between two commits: each finding once for all stacks, and what HEAD weakens."""

import json
from pathlib import Path
from typing import Any

from flowflare.config.files import read_project
from flowflare.review.policy.commits import judge_commits, record_policies
from flowflare.review.record import CommitRecording

PYTHON = """
from flowflare.review.policy import policy

@policy("owner")
def owner(stack):
        for database in stack.of_type("D1Database"):
            yield database.violation(f"{database.inputs['name']} has no owner")
"""
DAY = "2026-11-24"


def record_stacks(
    root: Path, policies: dict[str, Any] | None, python: str = PYTHON
) -> CommitRecording:
    """Record two stacks with a database each, as a recording process does."""
    (root / "infra").mkdir(parents=True)
    (root / "infra/policies.py").write_text(python)
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\nmain: infra/\n")
    stacks = {}
    for name in ("one", "two"):
        line = f"  flowflare:policies: {json.dumps(policies)}\n" if policies is not None else ""
        text = f"config:\n  flowflare:debug: true\n{line}"
        (root / f"Pulumi.{name}.yaml").write_text(text)
        resource = {
            "urn": f"urn:pulumi:{name}::shop::cloudflare:index/d1Database:D1Database::db",
            "type": "cloudflare:index/d1Database:D1Database",
            "custom": True,
            "inputs": {"name": f"{name}-flowflare-db"},
        }
        raw: dict[str, Any] = {"resources": [resource], "error": ""}
        raw["words"] = {f"{name}-flowflare": "<environment>-flowflare"}
        raw["policies"] = record_policies(read_project(root, name), raw, {})
        stacks[name] = raw
    return CommitRecording("shop", stacks)


def test_the_same_finding_is_reported_once(tmp_path: Path) -> None:
    wanted = {"protection": {"environments": ["*"]}, "python": ["infra/policies.py"]}
    head = record_stacks(tmp_path / "head", wanted)
    found, notes = judge_commits(CommitRecording(), head, (), DAY)
    assert [(finding.rule, finding.stacks, finding.resource) for finding in found] == [
        ("owner", ("one", "two"), "db"),
        ("protection", ("one", "two"), "db"),
    ]
    assert found[0].message == "<environment>-flowflare-db has no owner"
    assert notes == ()


def test_a_weakened_policy_is_reported(tmp_path: Path) -> None:
    before = {
        "protection": True,
        "location": {"hints": ["weur"]},
        "no-plain-secrets": True,
        "python": ["infra/policies.py"],
    }
    base = record_stacks(tmp_path / "base", before)
    after = {
        "protection": {"severity": "warning"},
        "location": {"hints": ["weur"]},
        "python": ["infra/policies.py"],
        "accept": {"location": {"db": "It was there before."}},
    }
    milder = PYTHON.replace('"owner"', '"owner", severity="warning"')
    head = record_stacks(tmp_path / "head", after, milder)
    found, notes = judge_commits(base, head, (), DAY)
    assert [note.text for note in notes] == [
        "Findings of the policy location are now accepted for db: It was there before. (one, two)",
        "The file infra/policies.py with policies was changed (one, two)",
        "The policy no-plain-secrets was switched off (one, two)",
        "The policy owner now only warns (one, two)",
        "The policy protection has other parameters: severity: error -> warning (one, two)",
    ]
    assert {finding.severity for finding in found} == {"warning"}

    _, notes = judge_commits(base, record_stacks(tmp_path / "none", None), (), DAY)
    assert "The policy owner was removed (one, two)" in [note.text for note in notes]
    assert "The policy protection was switched off (one, two)" in [note.text for note in notes]


def test_a_policy_that_fails_is_an_error_with_its_line(tmp_path: Path) -> None:
    wanted = {"python": ["infra/policies.py"]}
    failing = PYTHON.replace("database.inputs['name']", "database.inputs['nothing']")
    (found,), _ = judge_commits(
        CommitRecording(), record_stacks(tmp_path / "fails", wanted, failing), (), DAY
    )
    assert found.severity == "error"
    assert "the policy failed: infra/policies.py:7: KeyError" in found.message
    (found,), _ = judge_commits(
        CommitRecording(), record_stacks(tmp_path / "broken", wanted, "syntax error"), (), DAY
    )
    assert (found.rule, found.severity) == ("python", "error")
    assert "infra/policies.py:1: SyntaxError" in found.message


def test_a_stack_that_was_not_recorded_is_not_judged_which_is_an_error(tmp_path: Path) -> None:
    base = record_stacks(tmp_path / "base", {"protection": True})
    broken = {name: {"resources": [], "error": "broken"} for name in ("one", "two")}
    head = CommitRecording("shop", broken)
    found, _ = judge_commits(base, head, (), DAY)
    assert [(finding.rule, finding.severity, finding.stacks) for finding in found] == [
        ("unknown", "error", ("one", "two"))
    ]
    found, _ = judge_commits(base, head, (), DAY, ["one"])
    assert [(finding.severity, finding.stacks) for finding in found] == [
        ("error", ("two",)),
        ("warning", ("one",)),
    ]
    found, _ = judge_commits(base, CommitRecording(error="broken"), (), DAY)
    assert [finding.stacks for finding in found] == [("one", "two")]
