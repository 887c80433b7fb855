"""Every command is run on the project of canaries, or has a reason why not."""

import pytest

from tests.canaries.commands import COMMANDS, EXEMPT, list_commands


def test_every_command_is_listed_once() -> None:
    """A new command must be listed in `commands.py`, so that its output is searched."""
    listed = sorted([*COMMANDS, *EXEMPT])
    assert listed == sorted(list_commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_prints_json_is_run_with_it_and_without(name: str) -> None:
    printing = {"--json", "--dry-run", "--preview", "--diff"} & list_commands()[name]
    forms = [set(form.split()) for form in COMMANDS[name]]
    assert all(any(option in form for form in forms) for option in printing)
    if "--json" in list_commands()[name]:
        assert any("--json" not in form for form in forms)
