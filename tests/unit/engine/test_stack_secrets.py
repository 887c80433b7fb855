"""When the secrets of a stack of the Pulumi CLI become known to the filter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flowflare.config.files import read_project
from flowflare.engine.pulumi_cli.stack_secrets import StackSecrets
from flowflare.engine.pulumi_cli.stream import EngineEvent
from flowflare.errors import EngineError
from flowflare.redaction.run import open_redactor, redact
from flowflare.values.events import Event

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
URN = "urn:pulumi:dev::shop::random:index/randomPassword:RandomPassword::password"


class Stack:
    """A stack of the CLI without the CLI: what `pulumi` would print, and the events of a run."""

    def __init__(self, root: Path, *, url: str, config: dict[str, Any] | None = None) -> None:
        (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (root / "Pulumi.dev.yaml").write_text(json.dumps(config or {}))
        self.root = root
        self.exports: list[Callable[[], str]] = []
        self.configured: dict[str, Any] = {}
        self.notes: list[Event] = []
        environ = {"PULUMI_BACKEND_URL": url, "PULUMI_CONFIG_PASSPHRASE": "correct horse"}
        project = read_project(root, "dev")
        self.secrets = StackSecrets(project, environ, self.export, lambda: self.configured)

    def export(self) -> dict[str, Any]:
        password = self.exports.pop(0)() if len(self.exports) > 1 else self.exports[0]()
        return {"version": 3, "deployment": deployment(json.dumps(password), "plaintext")}

    def follow(self) -> Callable[[EngineEvent], None]:
        return self.secrets.follow(lambda event: None, self.notes.append)


def deployment(text: str, form: str) -> dict[str, Any]:
    resource = {
        "urn": URN,
        "custom": True,
        "id": "none",
        "type": "random:index/randomPassword:RandomPassword",
        "inputs": {},
        "outputs": {"result": {**SECRET, form: text}},
    }
    return {"manifest": {"time": "2026-01-01T00:00:00Z"}, "resources": [resource]}


def fail() -> str:
    raise EngineError("the key service does not answer")


def test_a_state_in_a_folder_whose_key_another_service_keeps_is_exported(tmp_path: Path) -> None:
    stacks = tmp_path / "state/.pulumi/stacks/shop"
    stacks.mkdir(parents=True)
    latest = deployment("sealed-by-aws", "ciphertext")
    latest["secrets_providers"] = {"type": "cloud", "state": {"url": "awskms://key"}}
    checkpoint = {"version": 3, "checkpoint": {"latest": latest}}
    (stacks / "dev.json").write_text(json.dumps(checkpoint))
    stack = Stack(tmp_path, url=f"file://{tmp_path / 'state'}")
    stack.exports = [lambda: "canary-of-state"]
    with open_redactor({}):
        stack.follow()
        assert redact("it is canary-of-state") == "it is [secret]"
    assert stack.notes == []


def test_a_configuration_whose_key_another_service_keeps_is_opened_by_the_cli(
    tmp_path: Path,
) -> None:
    config = {"secretsprovider": "awskms://key", "config": {"shop:key": {"secure": "c2VhbGVk"}}}
    stack = Stack(tmp_path, url="https://api.pulumi.com", config=config)
    stack.exports = [lambda: "canary-of-state"]
    stack.configured = {"shop:key": {"value": "canary-of-configuration", "secret": True}}
    with open_redactor({}):
        stack.follow()
        assert redact("it is canary-of-configuration") == "it is [secret]"


def test_a_state_that_cannot_be_read_once_is_read_again(tmp_path: Path) -> None:
    stack = Stack(tmp_path, url="https://api.pulumi.com")
    stack.exports = [fail, lambda: "canary-of-state"]
    with open_redactor({}):
        stack.follow()
        redact("the first text")
        assert redact("it is canary-of-state") == "it is [secret]"
    assert stack.notes == []


def test_a_state_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    stack, tries = Stack(tmp_path, url="https://api.pulumi.com"), []
    stack.exports = [lambda: fail() if tries.append(1) is None else ""]
    with open_redactor({}):
        stack.follow()
        for _ in range(10):
            redact("a text")
    assert len(tries) == 3
    assert [note.message for note in stack.notes] == [
        "stack dev: the secrets of its state cannot be read, so they are not replaced in what its "
        "program shows: the key service does not answer"
    ]
