"""The embedded engine warns of keys in Pulumi's files that only the Pulumi CLI reads."""

import json
from pathlib import Path

from flowflare.config.files import read_project
from tests.engine.projects import Sample

STACK = """\
environment:
  - acme/prod
  - acme/base
secretsprovider: awskms://alias/prod?region=eu-west-1
encryptedkey: AAAA
"""
PROJECT = """\
name: p
runtime:
  name: python
  options: {virtualenv: venv}
requiredPulumiVersion: ">=3.0.0"
author: Ann
options: {refresh: always}
plugins: {providers: [{name: cloudflare, path: ../mine}]}
"""


def list_warnings(sample: Sample) -> list[str]:
    return [event.message for event in sample.events if event.kind == "note"]


def test_preview_and_up_name_each_key_and_its_line(sample: Sample) -> None:
    file = sample.root / "Pulumi.dev.yaml"
    keys = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**keys, "environment": ["acme/prod"]}), "utf-8")
    warning = (
        "Pulumi.dev.yaml:1: `environment` (acme/prod) is not read: "
        "the values of Pulumi ESC are missing"
    )
    sample.write_program("import pulumi")
    sample.preview()
    assert list_warnings(sample) == [warning]
    sample.events.clear()
    sample.up()
    assert list_warnings(sample) == [warning]


def test_keys_for_the_cli_are_found_in_both_files(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT, "utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(STACK, "utf-8")
    assert [str(key) for key in read_project(tmp_path, "dev").cli_keys] == [
        "Pulumi.dev.yaml:1: `environment` (acme/prod, acme/base) is not read: "
        "the values of Pulumi ESC are missing",
        "Pulumi.dev.yaml:4: `secretsprovider` (awskms) is not read: "
        "the secrets of this stack are not decrypted with its key",
        "Pulumi.yaml:7: `options` (refresh) is not read: the state is not refreshed first",
        "Pulumi.yaml:8: `plugins` (providers) is not read: the plugins of this release are used",
        "Pulumi.yaml:2: `runtime.options` (virtualenv) is not read: "
        "the program is run with Flowflare's own Python",
    ]


def test_an_inline_definition_is_named_by_its_digest(tmp_path: Path) -> None:
    """A definition may contain values, which no message repeats."""
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n", "utf-8")
    text = "environment: {values: {pulumiConfig: {p:key: hunter2}}}\n"
    (tmp_path / "Pulumi.dev.yaml").write_text(text, "utf-8")
    (key,) = read_project(tmp_path, "dev").cli_keys
    assert key.value.startswith("an inline definition, sha256 ")
    assert "hunter2" not in str(key)
