"""What goes wrong: one resource, the program, what the program asks for."""

from pathlib import Path

import pytest

from flowflare.errors import ConfigError, EngineError, Problem, ProgramError, UpdateFailed
from tests.engine.projects import Sample, World, changed, make_sample, ops

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


def test_what_does_not_depend_on_a_failed_resource_goes_on(
    thing_sample: Sample, world: World
) -> None:
    with pytest.raises(UpdateFailed) as caught:
        thing_sample.program(FOUR.format("boom")).up()
    text = str(caught.value)
    assert text.startswith("1 resource failed, 2 skipped:\n")
    assert "bad (pulumi-python:dynamic/test:Thing): bad-a blew up" in text
    assert "child" not in text
    assert world.ids() == ["good-a"]
    assert thing_sample.open().outputs() == {"good": "good-a"}
    assert "pending_operations" not in thing_sample.latest()
    kinds = {one.step.name: one.kind for one in thing_sample.events if one.step}
    assert kinds["bad"] == "failed"
    assert kinds["grandchild"] == "skipped"
    assert changed(thing_sample.program(FOUR.format("fine")).up()) == {
        "bad": "create",
        "child": "create",
        "grandchild": "create",
    }


def test_a_failed_update_keeps_the_old_state_and_deletes_nothing(
    thing_sample: Sample, world: World
) -> None:
    thing_sample.program(FOUR.format("one") + "    Thing('extra')\n").up()
    with pytest.raises(UpdateFailed, match="bad-a blew up"):
        thing_sample.program(FOUR.format("boom")).up()
    assert thing_sample.record("bad")["inputs"]["value"] == "one"
    assert "extra-a" in world.ids()
    assert thing_sample.open().outputs(show_secrets=True)["bad"] == "token-of-bad-a"
    assert changed(thing_sample.program(FOUR.format("two")).up()) == {
        "bad": "update",
        "extra": "delete",
    }


def test_a_program_that_fails_on_an_unchanged_stack_leaves_the_state_file(
    thing_sample: Sample,
) -> None:
    program = FOUR.format("one")
    thing_sample.program(program).up()
    before = thing_sample.state_file.stat()
    with pytest.raises(ProgramError):
        thing_sample.program(program + "    raise ValueError('late')\n").up()
    assert thing_sample.state_file.stat().st_ino == before.st_ino
    with pytest.raises(ProgramError):
        thing_sample.program("raise ValueError('early')").up()
    assert thing_sample.state_file.stat().st_ino == before.st_ino


def test_a_failed_deletion_keeps_what_it_needs(thing_sample: Sample, world: World) -> None:
    thing_sample.program(
        """
        from things import Thing
        under = Thing("under")
        Thing("stuck", "undeletable", kind=under.id)
        Thing("free")
        """
    ).up()
    with pytest.raises(UpdateFailed, match="does not want to go"):
        thing_sample.destroy()
    assert world.ids() == ["stuck-under-a", "under-a"]
    assert {one["urn"].rpartition("::")[2] for one in thing_sample.records()} == {
        "p-dev",
        "default",
        "under",
        "stuck",
    }


def test_a_failed_check_names_the_property(thing_sample: Sample) -> None:
    with pytest.raises(UpdateFailed, match="value: is refused"):
        thing_sample.program("from things import Thing\nThing('z', 'refused')").up()


def test_a_failed_program_deletes_nothing_and_keeps_outputs(
    thing_sample: Sample, world: World
) -> None:
    thing_sample.program(FOUR.format("one")).up()
    with pytest.raises(ProgramError, match=r"^infra/__main__\.py:6: ZeroDivisionError: "):
        thing_sample.program(
            """
            import pulumi
            from things import Thing
            Thing("good", "changed")
            pulumi.export("new", 1)
            1 / 0
            """
        ).up()
    assert world.ids() == ["bad-a", "child-a", "good-a", "grandchild-a"]
    assert thing_sample.record("good")["inputs"]["value"] == "changed"
    assert set(thing_sample.open().outputs()) == {"bad", "good", "new"}


@pytest.mark.parametrize(
    ("program", "said"),
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
def test_where_a_program_failed_is_named(sample: Sample, program: str, said: str) -> None:
    sample.module("helper", "\nnothing")
    for run in (sample.program(program).preview, sample.up):
        with pytest.raises((ProgramError, EngineError), match=said):
            run()


def test_a_program_that_exits_with_zero_is_done(sample: Sample) -> None:
    assert ops(sample.program("raise SystemExit(0)").preview()) == {}


def test_errors_of_ours_come_through_pulumis_run_error(sample: Sample) -> None:
    sample.program(
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


def test_the_same_name_twice_is_refused(thing_sample: Sample) -> None:
    thing_sample.program("from things import Thing\nThing('z')\nThing('z')")
    with pytest.raises(EngineError, match=r"declares z \(pulumi-python:dynamic.*\) twice"):
        thing_sample.preview()


def test_a_type_that_is_not_served_is_recorded_but_not_made(sample: Sample) -> None:
    sample.program(
        """
        import pulumi
        bucket = pulumi.CustomResource("aws:s3/bucket:Bucket", "b", {"acl": "private"})
        """
    )
    assert changed(sample.preview()) == {"b": "create"}
    with pytest.raises(UpdateFailed, match="cannot make a aws:s3/bucket:Bucket") as caught:
        sample.up()
    assert "cloudflare:index/d1Database:D1Database" in str(caught.value)


def test_a_preview_says_which_resources_up_cannot_make(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "project", config={"flowflare:engine": "embedded"})
    sample.program(
        """
        import pulumi
        pulumi.CustomResource("cloudflare:index/dnsRecord:DnsRecord", "www", {"type": "A"})
        pulumi.CustomResource("aws:s3/bucket:Bucket", "b", {"acl": "private"})
        """
    )

    plan = sample.preview()
    assert changed(plan) == {"www": "create", "b": "create"}
    reasons = {failure.name: failure.reason for failure in plan.failures}
    assert reasons["www"].startswith("the embedded engine cannot make a cloudflare:index/dnsRecord")
    assert "For other types run this stack with the Pulumi CLI" in reasons["b"]


def test_a_missing_program_is_named(sample: Sample) -> None:
    (sample.root / "infra" / "__main__.py").unlink()
    with pytest.raises(ProgramError, match="there is no program at"):
        sample.preview()


def test_each_run_sees_a_programs_modules_as_they_are_now(sample: Sample) -> None:
    sample.module("words", "WORD = 'one'").program(
        "import pulumi\nimport words\npulumi.export('word', words.WORD)"
    )
    assert sample.preview().outputs == {"word": "one"}
    sample.module("words", "WORD = 'two!'")
    assert sample.preview().outputs == {"word": "two!"}
