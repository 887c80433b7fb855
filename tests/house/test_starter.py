"""The project that `flowflare init` makes is this repository's own example."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
STARTER = ROOT / "templates/starter"
PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")


@pytest.mark.parametrize("path", ["Pulumi.local.yaml", "infra/__main__.py"])
def test_the_starter_is_what_the_checkout_runs(path: str) -> None:
    made, own = (STARTER / f"{path}.j2").read_text(), (ROOT / path).read_text()
    # A developer may have changed the port of the checkout.
    assert PORT.sub("", made) == PORT.sub("", own)


def test_the_starter_configures_the_same_clients() -> None:
    text = (STARTER / "Pulumi.yaml.j2").read_text()
    starter = yaml.safe_load(text.replace("{{ project | js }}", "project"))
    own = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert starter["config"] == own["config"]
