"""Every command is run on the project of canaries, or is left out for a reason."""

import pytest

from tests.canaries.commands import COMMANDS, EXEMPT, all_commands


def test_every_command_is_listed_once() -> None:
    """A new command must be put into `commands.py`, so that what it prints is looked at."""
    listed = sorted([*COMMANDS, *EXEMPT])
    assert listed == sorted(all_commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_prints_json_is_run_with_it_and_without(name: str) -> None:
    printing = {"--json", "--dry-run", "--preview", "--diff"} & all_commands()[name]
    forms = [set(form.split()) for form in COMMANDS[name]]
    assert all(any(option in form for form in forms) for option in printing)
    if "--json" in all_commands()[name]:
        assert any("--json" not in form for form in forms)
