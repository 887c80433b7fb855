"""An `up` that violates a policy sends no request, and a preview names the policy.

The program is also compared with the state, on which these previews are based.
"""

import json

import pytest

from flowflare.review.against_state import compare_with_state
from tests.cli.command import flowflare
from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

PYTHON = """
from flowflare.review.policy import policy

@policy("few", severity="warning")
def few(stack):
    if stack.plan.changed > 3:
        yield stack.violation(f"{stack.plan.changed} changes at once")
"""


def test_a_policy_error_stops_an_up_unless_it_is_accepted(project: Project) -> None:
    at = ("-C", str(project.root))
    (project.root / "infra/policies.py").write_text(PYTHON)
    policies = {"protection": {"environments": ["local"]}, "python": ["infra/policies.py"]}
    project.configure(f"flowflare:policies: {json.dumps(policies)}")
    answer = flowflare("up", *at)
    assert answer.code == 1
    assert "Pulumi.local.yaml:5: error protection: flowflare-service-database" in answer.err
    assert project.account.is_empty()

    preview = flowflare("preview", "--json", *at)
    assert preview.code == 1
    rules = [finding["rule"] for finding in json.loads(preview.out)["policy"]]
    assert rules == ["protection", "protection", "protection", "few"]

    accepted = policies | {"accept": {"protection": {"local": "It is a toy."}}}
    project.edit("Pulumi.local.yaml", json.dumps(policies), json.dumps(accepted))
    answer = flowflare("up", *at)
    assert answer.code == 0, answer.err
    assert "(accepted: It is a toy.)" in answer.err
    assert project.account.list_databases() == ["local-flowflare-db"]

    # The policies also apply to a rotation, which is an `up`.
    strict = accepted | {"api-calls": {"max": 0}}
    project.edit("Pulumi.local.yaml", json.dumps(accepted), json.dumps(strict))
    answer = flowflare("secrets", "rotate", *at)
    assert answer.code == 1
    assert "error api-calls" in answer.err
    status = json.loads(flowflare("secrets", "status", *at, "--json").out)
    assert status["api_keys"]["accepted"] == [1]
    project.edit("Pulumi.local.yaml", json.dumps(strict), json.dumps(accepted))

    # Compared with the resulting state, the program is the same until it gets another variable.
    assert compare_with_state(project.root, ["local"]) == ((), ("local",))
    override = {"orders": {"variables": {"SHOP": "books"}}}
    project.configure(f"flowflare:clientOverrides: {json.dumps(override)}")
    before = project.account.find_last_request()
    (section,), unchanged = compare_with_state(project.root, ["local"])
    assert (section.stacks, section.kind, section.error, unchanged) == (
        ("local",),
        "changed",
        "",
        (),
    )
    assert section.review is not None
    (entry,) = [entry for entry in section.review.entries if entry.op != "same"]
    assert [binding.name for binding in entry.bindings_added] == ["SHOP"]
    assert project.account.list_requests(before) == []
