"""Errors suggest commands for the stack in use."""

from pathlib import Path

import pytest

from flowflare.cli.hints import forget_stack, name_stack, use_stack
from tests.cli.command import flowflare


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Deploy it: flowflare up", "Deploy it: flowflare up -s my-prod"),
        ("First run: flowflare secrets rotate", "First run: flowflare secrets rotate -s my-prod"),
        ("flowflare doctor --install, or", "flowflare doctor -s my-prod --install, or"),
        ("flowflare up --stack dev", "flowflare up --stack dev"),
        ("flowflare fleet up -e prod", "flowflare fleet up -e prod"),
        ("flowflare uploads", "flowflare uploads"),
    ],
)
def test_a_suggested_command_gets_the_stack(before: str, after: str) -> None:
    use_stack("my-prod")
    try:
        assert name_stack(before) == after
    finally:
        forget_stack()
    assert name_stack(before) == before


def test_an_error_names_the_stack_and_the_next_command_begins_anew(root: Path) -> None:
    stack = (root / "Pulumi.local.yaml").read_text()
    (root / "Pulumi.staging.yaml").write_text(stack)
    said = flowflare("secrets", "rotate", "--preview", "-s", "staging", "--cwd", str(root))
    assert said.code == 1
    assert "Deploy it: flowflare up -s staging" in said.err
    again = flowflare("secrets", "rotate", "--preview", "--cwd", str(root))
    assert "Deploy it: flowflare up\n" in again.err
