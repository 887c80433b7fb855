"""A stack reference reads the outputs of another stack, also of a project in another folder."""

import json
from pathlib import Path

import pytest
import yaml

from flowflare.errors import FlowflareError, StateError
from tests.engine.projects import Sample, make_sample

SOURCE = """
    import pulumi
    pulumi.export("url", "http://one")
    pulumi.export("names", ["a", "b"])
    pulumi.export("key", pulumi.Output.secret("canary-of-the-other"))
"""
TARGET = """
    import pulumi
    other = pulumi.StackReference({name!r})
    pulumi.export("url", other.get_output("url"))
    pulumi.export("key", other.require_output("key"))
    pulumi.export("none", other.get_output("nothing"))
"""


def make_other_project(
    tmp_path: Path, backend: str | None = "file://../project/.flowflare/state"
) -> Sample:
    """Create a project `q` in its own folder, on the backend of `sample`."""
    other = make_sample(tmp_path / "other", TARGET.format(name="organization/p/dev"))
    project = {"name": "q", "runtime": "python", "main": "infra"}
    backend_field = {"backend": {"url": backend}} if backend else {}
    (other.root / "Pulumi.yaml").write_text(yaml.safe_dump(project | backend_field), "utf-8")
    return other


def test_another_project_reads_the_outputs_and_secrets_stay_secret(
    sample: Sample, tmp_path: Path
) -> None:
    sample.write_program(SOURCE).up()
    other = make_other_project(tmp_path)
    plan = other.open().preview()
    assert plan.outputs == {"url": "http://one", "key": "[secret]"}
    assert other.open().up().outputs == plan.outputs
    assert other.open().outputs(show_secrets=True)["key"] == "canary-of-the-other"
    state = sample.root / ".flowflare/state/.pulumi/stacks/q/dev.json"
    assert "canary-of-the-other" not in state.read_text("utf-8")
    records = json.loads(state.read_text("utf-8"))["checkpoint"]["latest"]["resources"]
    record = next(each for each in records if each["type"] == "pulumi:pulumi:StackReference")
    assert record["external"] is True
    assert record["id"] == record["outputs"]["name"] == "organization/p/dev"
    assert record["outputs"]["secretOutputNames"] == ["key"]
    assert "pulumi:providers:pulumi::default" in record["provider"]
    assert other.open().up().changed == 0


def test_a_reference_is_read_again_on_each_run(sample: Sample, tmp_path: Path) -> None:
    sample.write_program(SOURCE).up()
    other = make_other_project(tmp_path)
    other.open().up()
    sample.write_program(SOURCE.replace("http://one", "http://two")).up()
    assert other.open().preview().outputs["url"] == "http://two"
    assert other.open().up().outputs["url"] == "http://two"
    other.open().destroy()
    assert sample.open().outputs()["url"] == "http://two"


def test_the_environment_may_name_the_backend(sample: Sample, tmp_path: Path) -> None:
    sample.write_program(SOURCE).up()
    other = make_other_project(tmp_path, None)
    other.environ["PULUMI_BACKEND_URL"] = f"file://{sample.root}/.flowflare/state"
    assert other.open().preview().outputs["url"] == "http://one"


def test_a_stack_of_the_same_project_has_a_short_name(sample: Sample) -> None:
    sample.write_program(SOURCE).up()
    stacks = sample.root / ".flowflare/state/.pulumi/stacks/p"
    (stacks / "base.json").write_text((stacks / "dev.json").read_text())
    for name in ("base", "organization/base", "organization/p/base"):
        sample.write_program(TARGET.format(name=name))
        assert sample.preview().outputs["url"] == "http://one"


def test_a_stack_with_a_generated_passphrase_is_decrypted_with_the_key_beside_its_state(
    sample: Sample, tmp_path: Path
) -> None:
    sample.environ.clear()
    (sample.root / "Pulumi.dev.yaml").write_text("config: {}\n", "utf-8")
    sample.write_program(SOURCE).up()
    other = make_other_project(tmp_path)
    other.environ.clear()
    (other.root / "Pulumi.dev.yaml").write_text("config: {}\n", "utf-8")
    other.open().up()
    assert other.open().outputs(show_secrets=True)["key"] == "canary-of-the-other"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("organization/p/none", "there is no stack organization/p/none in"),
        ("someone/p/dev", "'someone/p/dev' is not the name of a stack"),
        ("organization/a/b/c", "is not the name of a stack"),
    ],
)
def test_a_missing_stack_is_named(sample: Sample, name: str, message: str) -> None:
    sample.write_program(TARGET.format(name=name))
    plan = sample.preview()
    assert [message in failure.reason for failure in plan.failures] == [True]
    with pytest.raises(FlowflareError, match=message):
        sample.up()


def test_a_run_refuses_to_start_anew_beside_an_existing_state(
    sample: Sample, tmp_path: Path
) -> None:
    sample.write_program(SOURCE).up()
    sample.environ["PULUMI_BACKEND_URL"] = f"file://{tmp_path}/elsewhere"
    with pytest.raises(StateError, match=r"is in .*/\.flowflare/state, but PULUMI"):
        sample.up()
    sample.environ["PULUMI_BACKEND_URL"] = "https://app.pulumi.com"
    assert sample.up().changed == 0
