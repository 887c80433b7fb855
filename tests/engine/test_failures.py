"""Failures of a resource or of the program leave a usable state and are explained."""

from pathlib import Path

import pytest

from flowflare.errors import ConfigError, EngineError, Problem, ProgramError, UpdateFailed
from tests.engine.projects import Sample, Things, list_changes, list_ops, make_sample

FOUR = """
    import pulumi
    from things import Thing
    bad = Thing("bad", "{}")
    child = Thing("child", bad.token)
    grandchild = Thing("grandchild", child.token)
    good = Thing("good", "g")
    pulumi.export("bad", bad.token)
    pulumi.export("good", good.id)
"""


def test_resources_that_do_not_depend_on_a_failed_resource_are_still_created(
    thing_sample: Sample, world: Things
) -> None:
    with pytest.raises(UpdateFailed) as caught:
        thing_sample.write_program(FOUR.format("boom")).up()
    text = str(caught.value)
    assert text.startswith("1 resource failed, 2 skipped:\n")
    assert "bad (pulumi-python:dynamic/test:Thing): bad-a blew up" in text
    assert "child" not in text
    assert world.list_ids() == ["good-a"]
    assert thing_sample.open().outputs() == {"good": "good-a"}
    assert "pending_operations" not in thing_sample.read_latest()
    kinds = {event.step.name: event.kind for event in thing_sample.events if event.step}
    assert kinds["bad"] == "failed"
    assert kinds["grandchild"] == "skipped"
    assert list_changes(thing_sample.write_program(FOUR.format("fine")).up()) == {
        "bad": "create",
        "child": "create",
        "grandchild": "create",
    }


def test_a_failed_update_keeps_the_old_state_and_deletes_nothing(
    thing_sample: Sample, world: Things
) -> None:
    thing_sample.write_program(FOUR.format("one") + "    Thing('extra')\n").up()
    with pytest.raises(UpdateFailed, match="bad-a blew up"):
        thing_sample.write_program(FOUR.format("boom")).up()
    assert thing_sample.find_record("bad")["inputs"]["value"] == "one"
    assert "extra-a" in world.list_ids()
    assert thing_sample.open().outputs(show_secrets=True)["bad"] == "token-of-bad-a"
    assert list_changes(thing_sample.write_program(FOUR.format("two")).up()) == {
        "bad": "update",
        "extra": "delete",
    }


def test_a_program_that_fails_on_an_unchanged_stack_does_not_rewrite_the_state_file(
    thing_sample: Sample,
) -> None:
    program = FOUR.format("one")
    thing_sample.write_program(program).up()
    before = thing_sample.state_file.stat()
    with pytest.raises(ProgramError):
        thing_sample.write_program(program + "    raise ValueError('late')\n").up()
    assert thing_sample.state_file.stat().st_ino == before.st_ino
    with pytest.raises(ProgramError):
        thing_sample.write_program("raise ValueError('early')").up()
    assert thing_sample.state_file.stat().st_ino == before.st_ino


def test_a_failed_deletion_keeps_the_resources_that_it_depends_on(
    thing_sample: Sample, world: Things
) -> None:
    thing_sample.write_program(
        """
        from things import Thing
        under = Thing("under")
        Thing("stuck", "undeletable", kind=under.id)
        Thing("free")
        """
    ).up()
    with pytest.raises(UpdateFailed, match="does not want to go"):
        thing_sample.destroy()
    assert world.list_ids() == ["stuck-under-a", "under-a"]
    assert {each["urn"].rpartition("::")[2] for each in thing_sample.read_records()} == {
        "p-dev",
        "default",
        "under",
        "stuck",
    }


def test_a_failed_check_names_the_property(thing_sample: Sample) -> None:
    with pytest.raises(UpdateFailed, match="value: is refused"):
        thing_sample.write_program("from things import Thing\nThing('z', 'refused')").up()


def test_a_failed_program_deletes_nothing_and_keeps_its_outputs(
    thing_sample: Sample, world: Things
) -> None:
    thing_sample.write_program(FOUR.format("one")).up()
    with pytest.raises(ProgramError, match=r"^infra/__main__\.py:6: ZeroDivisionError: "):
        thing_sample.write_program(
            """
            import pulumi
            from things import Thing
            Thing("good", "changed")
            pulumi.export("new", 1)
            1 / 0
            """
        ).up()
    assert world.list_ids() == ["bad-a", "child-a", "good-a", "grandchild-a"]
    assert thing_sample.find_record("good")["inputs"]["value"] == "changed"
    assert set(thing_sample.open().outputs()) == {"bad", "good", "new"}


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("def broken(:", r"^infra/__main__\.py:1: SyntaxError"),
        ("import helper", r"^infra/helper\.py:2: NameError: name 'nothing' is not defined"),
        ("import pulumi\npulumi.Output.from_input(1).apply(lambda n: n / 0)", "ZeroDivisionError"),
        ("raise SystemExit(3)", "the program ended itself with 3"),
        ("import pulumi\nraise pulumi.RunError('not today')", "not today"),
        ("import pulumi\npulumi.Config().require('missing')", "Missing required configuration"),
        ("import pulumi\npulumi.runtime.invoke('a:b:c', {})", "the function a:b:c"),
    ],
)
def test_the_place_of_a_program_error_is_named(sample: Sample, program: str, message: str) -> None:
    sample.write_module("helper", "\nnothing")
    for run in (sample.write_program(program).preview, sample.up):
        with pytest.raises((ProgramError, EngineError), match=message):
            run()


def test_a_program_that_exits_with_zero_succeeds(sample: Sample) -> None:
    assert list_ops(sample.write_program("raise SystemExit(0)").preview()) == {}


def test_a_flowflare_error_inside_pulumis_run_error_is_raised_as_itself(sample: Sample) -> None:
    sample.write_program(
        """
        import pulumi
        from flowflare.errors import ConfigError, Problem
        try:
            raise ConfigError([Problem("Pulumi.dev.yaml:3", "no such client")])
        except ConfigError as error:
            raise pulumi.RunError(str(error)) from error
        """
    )
    with pytest.raises(ConfigError) as caught:
        sample.preview()
    assert caught.value.problems == (Problem("Pulumi.dev.yaml:3", "no such client"),)


def test_two_resources_of_one_name_are_refused(thing_sample: Sample) -> None:
    thing_sample.write_program("from things import Thing\nThing('z')\nThing('z')")
    with pytest.raises(EngineError, match=r"declares z \(pulumi-python:dynamic.*\) twice"):
        thing_sample.preview()


def test_a_resource_of_an_unknown_type_can_be_previewed_but_not_created(sample: Sample) -> None:
    sample.write_program(
        """
        import pulumi
        bucket = pulumi.CustomResource("aws:s3/bucket:Bucket", "b", {"acl": "private"})
        """
    )
    assert list_changes(sample.preview()) == {"b": "create"}
    with pytest.raises(UpdateFailed, match="cannot create a aws:s3/bucket:Bucket") as caught:
        sample.up()
    assert "cloudflare:index/d1Database:D1Database" in str(caught.value)


def test_a_preview_names_the_resources_that_up_cannot_create(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "project", config={"flowflare:engine": "embedded"})
    sample.write_program(
        """
        import pulumi
        pulumi.CustomResource("cloudflare:index/dnsRecord:DnsRecord", "www", {"type": "A"})
        pulumi.CustomResource("aws:s3/bucket:Bucket", "b", {"acl": "private"})
        """
    )

    plan = sample.preview()
    assert list_changes(plan) == {"www": "create", "b": "create"}
    reasons = {failure.name: failure.reason for failure in plan.failures}
    assert reasons["www"].startswith(
        "the embedded engine cannot create a cloudflare:index/dnsRecord"
    )
    assert "For other types run this stack with the Pulumi CLI" in reasons["b"]


def test_a_missing_program_is_named(sample: Sample) -> None:
    (sample.root / "infra" / "__main__.py").unlink()
    with pytest.raises(ProgramError, match="there is no program at"):
        sample.preview()


def test_each_run_imports_the_current_modules_of_the_program(sample: Sample) -> None:
    sample.write_module("words", "WORD = 'one'").write_program(
        "import pulumi\nimport words\npulumi.export('word', words.WORD)"
    )
    assert sample.preview().outputs == {"word": "one"}
    sample.write_module("words", "WORD = 'two!'")
    assert sample.preview().outputs == {"word": "two!"}
