"""The pages about policies and drift: table and code agree, samples work, and commands exist."""

import json
import re
import shlex
from pathlib import Path

import yaml

from flowflare.cli.app import app
from flowflare.config.schema.policies import PoliciesConfig
from flowflare.policies.contract import describe
from flowflare.policies.registry import BY_NAME
from flowflare.review.policy.declare import load_policies

DOCS = Path(__file__).parent.parent.parent / "docs" / "how-to"
POLICIES, DRIFT = ((DOCS / name).read_text() for name in ("policies.md", "drift.md"))


def test_the_table_has_every_policy() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (.+) \|$", POLICIES, re.MULTILINE)
    about = {name: describe(policy) for name, policy in BY_NAME.items()}
    assert {name: text for name, text, _ in rows} == about
    for name, _, where in rows:
        given: dict[str, str] = {"pattern": "x"} if name == "name-pattern" else {}
        held = PoliciesConfig.model_validate({name: given}).built_in()[name].environments
        assert where == ", ".join(held or ["all"])


def test_the_sample_is_a_valid_configuration() -> None:
    sample = re.findall(r"```yaml\n(.*?)```", POLICIES, re.DOTALL)[0]
    value = yaml.safe_load(sample)["config"]["flowflare:policies"]["value"]
    assert PoliciesConfig.model_validate(json.loads(json.dumps(value))).python


def test_the_sample_is_a_valid_policy(tmp_path: Path) -> None:
    sample = re.findall(r"```python\n(.*?)```", POLICIES, re.DOTALL)[0]
    (tmp_path / "sample.py").write_text(sample)
    (found,) = load_policies(tmp_path, ["sample.py"])
    assert (found.name, found.severity) == ("owner", "warning")
    assert found.about == "The name of every database begins with its owner's prefix."


def test_its_commands_exist() -> None:
    import typer

    group = typer.main.get_command(app)
    lines = re.findall(r"^ +(?:- run: )?(?:\.venv/bin/)?flowflare (.+)$", DRIFT, re.MULTILINE)
    assert len(lines) == 7
    for line in lines:
        name, *words = shlex.split(line)
        command = group.get_command(typer.Context(group), name)  # type: ignore[attr-defined]
        command.make_context(name, words)
