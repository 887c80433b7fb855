"""Keys of Pulumi's own files that only the Pulumi CLI honours: the embedded engine names them."""

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


def warnings(sample: Sample) -> list[str]:
    return [one.message for one in sample.events if one.kind == "note"]


def test_preview_and_up_name_each_key_with_its_line(sample: Sample) -> None:
    file = sample.root / "Pulumi.dev.yaml"
    keys = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**keys, "environment": ["acme/prod"]}), "utf-8")
    said = (
        "Pulumi.dev.yaml:1: `environment` (acme/prod) is not read: "
        "the values of Pulumi ESC are missing"
    )
    sample.program("import pulumi")
    sample.preview()
    assert warnings(sample) == [said]
    sample.events.clear()
    sample.up()
    assert warnings(sample) == [said]


def test_what_both_files_ask_of_the_cli_is_found(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT, "utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(STACK, "utf-8")
    assert [str(one) for one in read_project(tmp_path, "dev").cli_keys] == [
        "Pulumi.dev.yaml:1: `environment` (acme/prod, acme/base) is not read: "
        "the values of Pulumi ESC are missing",
        "Pulumi.dev.yaml:4: `secretsprovider` (awskms) is not read: "
        "the secrets of this stack are not decrypted with its key",
        "Pulumi.yaml:7: `options` (refresh) is not read: the state is not refreshed first",
        "Pulumi.yaml:8: `plugins` (providers) is not read: the plugins of this release are used",
        "Pulumi.yaml:2: `runtime.options` (virtualenv) is not read: "
        "the program is run with Flowflare's own Python",
    ]


def test_a_definition_in_the_file_is_named_by_its_digest(tmp_path: Path) -> None:
    """It may hold values, which no message repeats."""
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n", "utf-8")
    text = "environment: {values: {pulumiConfig: {p:key: hunter2}}}\n"
    (tmp_path / "Pulumi.dev.yaml").write_text(text, "utf-8")
    (found,) = read_project(tmp_path, "dev").cli_keys
    assert found.value.startswith("an inline definition, sha256 ")
    assert "hunter2" not in str(found)
