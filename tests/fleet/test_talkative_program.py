"""A fleet's program shows its secrets in every way it can; nothing that is written has one."""

import os
import subprocess
from collections.abc import Callable

import pytest

from tests.canaries.search import Canaries
from tests.e2e.talking import make_talkative, plant_configuration
from tests.fleet.projects import COMMAND, FleetProject
from tests.support.embedded import open_embedded

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


@pytest.mark.long
def test_nothing_that_a_fleet_writes_has_a_secret_of_its_program(
    fleet_project: Callable[..., FleetProject],
) -> None:
    canaries, fleet = Canaries(), fleet_project(1)
    written: list[tuple[str, str]] = []
    phrase = canaries.plant("passphrase")
    environ = {"PHRASE": phrase, "SHOP_TOKEN": canaries.plant("variable")}
    salt, config = plant_configuration(canaries, phrase)
    config = {key.removeprefix("flowflare:"): value for key, value in config.items()}
    (fleet.root / "Pulumi.t01-prod.yaml").write_text(f"encryptionsalt: {salt}\n")
    fleet.write({"t01": {"passphrase": {"env": "PHRASE"}, "config": config}}, waves=["100%"])
    make_talkative(fleet.root)

    def run(*words: str, code: int = 0, raises: str = "") -> str:
        done = subprocess.run(
            [COMMAND, "fleet", *words, "-e", "prod"],
            cwd=fleet.root,
            env=os.environ | environ | {"RAISES": raises},
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout + done.stderr
        assert done.returncode == code, text
        written.append((f"{' '.join(words)} {raises}", text))
        return text

    raised = run("up", "--json", code=1, raises="configuration")
    assert "raised with a given secret [secret]" in raised
    raised = run("up", "--json", code=1, raises="output")
    assert "raised with an output [secret]" in raised
    shown = run("up", "--json")
    assert "printed a resource's output [secret]" in shown, shown
    stack = open_embedded(fleet.root, "t01-prod", environ={"PULUMI_CONFIG_PASSPHRASE": phrase})
    canaries.hide("output", stack.outputs(show_secrets=True)["api_key"])
    run("preview", "--json", code=1, raises="output")
    for where, text in written:
        canaries.look(where, text)
    canaries.look_below(fleet.root, but=(".flowflare/emulator", "node_modules"))
    assert canaries.seen == [], canaries.seen
