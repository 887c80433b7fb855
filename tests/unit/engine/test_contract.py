"""One function opens a stack, on the engine that its configuration names."""

from pathlib import Path

import pytest

from flowflare.config.engine import engine_of
from flowflare.config.files import Project, read_project
from flowflare.engine import open_stack
from flowflare.errors import ConfigError, EngineError, SecretError


def project(root: Path, *lines: str) -> Project:
    (root / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    values = "".join(f"  {line}\n" for line in lines)
    (root / "Pulumi.dev.yaml").write_text(f"config:\n{values}" if values else "config: {}\n")
    return read_project(root, "dev")


def test_a_stack_of_the_embedded_engine_opens_without_the_pulumi_cli(tmp_path: Path) -> None:
    stack = open_stack(project(tmp_path, "flowflare:engine: embedded"), {"PATH": ""})
    assert stack.is_made()
    assert stack.is_empty()
    assert stack.read().resources == ()
    stack.make()
    assert stack.unlock() == []
    assert not (tmp_path / ".flowflare/state/.pulumi").exists(), "nothing was written"


def test_a_stack_without_an_engine_needs_the_pulumi_cli(tmp_path: Path) -> None:
    found = project(tmp_path)
    assert engine_of(found).needs_cli
    assert not engine_of(found).needs_emulator
    with pytest.raises(EngineError, match="stack dev runs on the Pulumi CLI, which"):
        open_stack(found, {"PATH": "", "HOME": str(tmp_path)})


def test_an_engine_that_does_not_exist_is_refused_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Pulumi\.dev\.yaml:2: `flowflare:engine`: is 'puluni'"):
        open_stack(project(tmp_path, "flowflare:engine: puluni"), {})


def test_a_token_that_is_nowhere_is_asked_for_with_the_command_that_sets_it(tmp_path: Path) -> None:
    stack = open_stack(project(tmp_path, "flowflare:engine: embedded"), {})
    with pytest.raises(SecretError, match="there is no API token"):
        stack.token()
