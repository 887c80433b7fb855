"""Resource options have the same effect on the embedded engine as on the Pulumi CLI."""

import pytest

from flowflare.errors import ProtectedError, UpdateFailed
from tests.engine.projects import Sample, Things, list_changes


def make_program(arguments: str) -> str:
    return f"import pulumi\nfrom pulumi import *\nfrom things import Thing\n{arguments}\n"


def test_a_replacement_creates_the_new_resource_first_and_deletes_dependents_first(
    thing_sample: Sample, world: Things
) -> None:
    both = "z = Thing('z', kind='{0}')\nw = Thing('w', kind=z.id)"
    thing_sample.write_program(make_program(both.format("a"))).up()
    world.take_log()
    plan = thing_sample.write_program(make_program(both.format("b"))).preview()
    assert list_changes(plan) == {"z": "replace", "w": "replace"}
    update = thing_sample.up()
    assert list_changes(update) == {"z": "replace", "w": "replace"}
    assert world.take_log() == ["create z-b", "create w-z-b", "delete w-z-a", "delete z-a"]
    assert world.list_ids() == ["w-z-b", "z-b"]
    assert not any(each.get("delete") for each in thing_sample.read_records())


def test_delete_before_replace_also_replaces_dependents_that_the_change_would_replace(
    thing_sample: Sample, world: Things
) -> None:
    program = """
first = ResourceOptions(delete_before_replace=True)
z = Thing('z', kind='{0}', opts=first)
w = Thing('w', kind=z.id)
u = Thing('u', value=z.id)
"""
    thing_sample.write_program(make_program(program.format("a"))).up()
    world.take_log()
    update = thing_sample.write_program(make_program(program.format("b"))).up()
    assert list_changes(update) == {"z": "replace", "w": "replace", "u": "update"}
    log = world.take_log()
    assert log[:3] == ["delete w-z-a", "delete z-a", "create z-b"]
    assert sorted(log[3:]) == ["create w-z-b", "update u-a"]
    assert not any(each.get("pendingReplacement") for each in thing_sample.read_records())


def test_a_failed_delete_before_replace_is_resumed(thing_sample: Sample, world: Things) -> None:
    thing_sample.write_program(make_program("Thing('z', 'x', kind='a', dbr=True)")).up()
    with pytest.raises(UpdateFailed, match="z-b blew up"):
        thing_sample.write_program(make_program("Thing('z', 'boom', kind='b', dbr=True)")).up()
    assert thing_sample.find_record("z")["pendingReplacement"] is True
    assert world.list_ids() == []
    thing_sample.write_program(make_program("Thing('z', 'y', kind='b', dbr=True)"))
    assert list_changes(thing_sample.preview()) == {"z": "replace"}
    assert list_changes(thing_sample.up()) == {"z": "replace"}
    assert world.list_ids() == ["z-b"]
    assert "pendingReplacement" not in thing_sample.find_record("z")


def test_a_protected_resource_is_not_deleted(thing_sample: Sample, world: Things) -> None:
    thing_sample.write_program(make_program("Thing('z', opts=ResourceOptions(protect=True))")).up()
    thing_sample.write_program(make_program(""))
    plan = thing_sample.preview()
    assert [(failure.name, failure.kind) for failure in plan.failures] == [("z", "protected")]
    with pytest.raises(ProtectedError, match=r"z \(pulumi-python:dynamic/test:Thing\) is prot"):
        thing_sample.up()
    with pytest.raises(ProtectedError, match=r"allowDataLoss: \{z: <reason>\}"):
        thing_sample.up()
    assert world.list_ids() == ["z-a"]
    # A run that changes nothing else removes the protection.
    thing_sample.write_program(make_program("Thing('z')")).up()
    thing_sample.write_program(make_program("")).up()
    assert world.list_ids() == []


def test_a_protected_resource_is_not_replaced(thing_sample: Sample, world: Things) -> None:
    program = "Thing('z', kind='{0}', opts=ResourceOptions(protect={1}))\nThing('other', '{0}')"
    thing_sample.write_program(make_program(program.format("a", True))).up()
    thing_sample.write_program(make_program(program.format("b", True)))
    assert [failure.kind for failure in thing_sample.preview().failures] == ["protected"]
    with pytest.raises(ProtectedError, match="cannot be replaced"):
        thing_sample.up()
    assert world.list_ids() == ["other-a", "z-a"]
    assert thing_sample.find_record("other")["inputs"]["value"] == "b"
    # As with the Pulumi CLI, a single run removes the protection and replaces the resource.
    thing_sample.write_program(make_program(program.format("b", False)))
    (step,) = [step for step in thing_sample.preview().steps if step.name == "z"]
    assert (step.op, step.protected, step.protect) == ("replace", True, False)
    thing_sample.up()
    assert world.list_ids() == ["other-a", "z-b"]
    assert "protect" not in thing_sample.find_record("z")


def test_a_destroy_deletes_nothing_if_a_resource_is_protected(
    thing_sample: Sample, world: Things
) -> None:
    program = """
held = ResourceOptions(protect=True)
a = Thing('a')
b = Thing('b', a.id, opts=held)
c = Thing('c', opts=held)
"""
    thing_sample.write_program(make_program(program)).up()
    with pytest.raises(ProtectedError, match="nothing was deleted") as caught:
        thing_sample.destroy()
    assert "flowflare destroy --stack dev --lose-data b c" in str(caught.value)
    with pytest.raises(ProtectedError, match=r"nothing was deleted:\n  c \("):
        thing_sample.open().destroy(lose_data=["b"])
    with pytest.raises(ProtectedError, match="None is called bb"):
        thing_sample.open().destroy(lose_data=["bb", "c"])
    assert world.list_ids() == ["a-a", "b-a", "c-a"]
    plan = thing_sample.open().plan_destroy(lose_data=["b"])
    assert [(failure.name, failure.kind) for failure in plan.failures] == [("c", "protected")]
    assert {step.op for step in plan.steps} == {"delete"}
    # A destroy that was killed is repeated with the same arguments; some resources are deleted.
    thing_sample.open().destroy(lose_data=["b", "c", "gone"])
    assert world.list_ids() == []


def test_retain_on_delete_only_removes_the_record(thing_sample: Sample, world: Things) -> None:
    program = "Thing('z', kind='{}', opts=ResourceOptions(retain_on_delete=True))"
    thing_sample.write_program(make_program(program.format("a"))).up()
    thing_sample.write_program(make_program(program.format("b"))).up()
    assert world.list_ids() == ["z-a", "z-b"]
    thing_sample.write_program(make_program("")).up()
    assert world.list_ids() == ["z-a", "z-b"]
    assert [each["type"] for each in thing_sample.read_records()] == ["pulumi:pulumi:Stack"]


def test_deleted_with_saves_the_call(thing_sample: Sample, world: Things) -> None:
    thing_sample.write_program(
        make_program("z = Thing('z')\nThing('w', opts=ResourceOptions(deleted_with=z))")
    ).up()
    thing_sample.destroy()
    assert "delete w-a" not in world.take_log()


@pytest.mark.parametrize(
    "option",
    [
        "aliases=[Alias(name='old')]",
        "aliases=['urn:pulumi:dev::p::pulumi-python:dynamic/test:Thing::old']",
        "aliases=[Alias(name='old', parent=ROOT_STACK_RESOURCE)]",
    ],
)
def test_a_rename_with_an_alias_keeps_the_resource(
    thing_sample: Sample, world: Things, option: str
) -> None:
    program = "z = Thing('{0}', opts=ResourceOptions({1}))\nThing('after', z.token)"
    # The name is also an input, but the provider does not compare it.
    text = make_program(program.format("old", ""))
    thing_sample.write_program(text).up()
    world.take_log()
    renamed = text.replace("Thing('old'", "Thing('new'").replace(
        "ResourceOptions()", f"ResourceOptions({option})"
    )
    plan = thing_sample.write_program(renamed).preview()
    assert list_changes(plan) == {}
    assert next(step for step in plan.steps if step.name == "new").note.startswith("was old")
    assert thing_sample.up().changed == 0
    assert world.take_log() == []
    assert thing_sample.find_record("after")["dependencies"] == [
        thing_sample.find_record("new")["urn"]
    ]
    assert list_changes(thing_sample.preview()) == {}


def test_children_follow_the_alias_of_their_parent(thing_sample: Sample, world: Things) -> None:
    program = """
class Group(ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("test:index:Group", name, None, opts)
        Thing(name + "-one", "x", opts=ResourceOptions(parent=self))
        inner = ComponentResource("test:index:Inner", "inner", None, ResourceOptions(parent=self))
        Thing("deep", "y", opts=ResourceOptions(parent=inner))
Group("{}", ResourceOptions(aliases={}))
"""
    thing_sample.write_program(make_program(program.format("old", []))).up()
    world.take_log()
    thing_sample.write_program(make_program(program.format("new", "[Alias(name='old')]")))
    assert list_changes(thing_sample.preview()) == {}
    assert thing_sample.up().changed == 0
    assert world.take_log() == []
    names = {each["urn"].rpartition("::")[2] for each in thing_sample.read_records()}
    assert {"new", "new-one", "inner", "deep"} <= names
    assert not names & {"old", "old-one"}


def test_ignored_changes_are_not_made(thing_sample: Sample, world: Things) -> None:
    program = (
        "Thing('z', {{'a': '{0}', 'list': [1, '{0}']}}, opts=ResourceOptions(ignore_changes=[{1}]))"
    )
    thing_sample.write_program(make_program(program.format("one", ""))).up()
    world.take_log()
    for paths in (
        "'value'",
        "'value.a', 'value.list[1]'",
        "'value[\"a\"]', 'value.list[*]'",
        "'*'",
    ):
        thing_sample.write_program(make_program(program.format("two", paths)))
        assert list_changes(thing_sample.preview()) == {}, paths
        assert thing_sample.up().changed == 0
    plan = thing_sample.write_program(make_program(program.format("two", "'value.a'"))).preview()
    (change,) = next(step for step in plan.steps if step.name == "z").changes
    assert change.path == "value.list[1]"


def test_replace_on_changes_and_a_new_trigger_replace_the_resource(
    thing_sample: Sample, world: Things
) -> None:
    options = "replace_on_changes=['value'], replacement_trigger={}"
    program = "Thing('z', '{}', opts=ResourceOptions(" + options + "))"
    thing_sample.write_program(make_program(program.format("one", 1))).up()
    plan = thing_sample.write_program(make_program(program.format("two", 1))).preview()
    assert list_changes(plan) == {"z": "replace"}
    assert plan.steps[1].replaces == ("value",)
    plan = thing_sample.write_program(make_program(program.format("one", 2))).preview()
    assert plan.steps[1].replaces == ("replacementTrigger",)
    thing_sample.up()
    assert thing_sample.preview().changed == 0


def test_replace_with_replaces_along_with_its_target(thing_sample: Sample, world: Things) -> None:
    program = "z = Thing('z', kind='{}')\nThing('w', opts=ResourceOptions(replace_with=[z]))"
    thing_sample.write_program(make_program(program.format("a"))).up()
    plan = thing_sample.write_program(make_program(program.format("b"))).preview()
    assert list_changes(plan) == {"z": "replace", "w": "replace"}


def test_custom_timeouts_are_stored_in_seconds(thing_sample: Sample) -> None:
    option = "custom_timeouts=CustomTimeouts(create='5m', delete='1h30m')"
    thing_sample.write_program(make_program(f"Thing('z', opts=ResourceOptions({option}))")).up()
    assert thing_sample.find_record("z")["customTimeouts"] == {"create": 300, "delete": 5400}


def test_a_resource_that_is_only_read_is_never_deleted(thing_sample: Sample, world: Things) -> None:
    thing_sample.write_program(make_program("Thing('z', 'x')")).up()
    provider = thing_sample.find_record("z")["inputs"]["__provider"]
    program = """
class Known(CustomResource):
    def __init__(self, name, id):
        props = {"__provider": PICKLE, "name": "z", "kind": "a", "value": None}
        super().__init__("pulumi-python:dynamic/test:Thing", name, props, ResourceOptions(id=id))
Thing('z', 'x')
pulumi.export("id", Known("known", "ID").id)
""".replace("PICKLE", repr(provider))
    thing_sample.write_program(make_program(program.replace("ID", "z-a"))).up()
    record = thing_sample.find_record("known")
    assert (record["external"], record["id"]) == (True, "z-a")
    assert thing_sample.preview().changed == 0
    with pytest.raises(UpdateFailed, match=r"there is no .* with the id 'missing'"):
        thing_sample.write_program(make_program(program.replace("ID", "missing"))).up()
    thing_sample.write_program(make_program("Thing('z', 'x')")).up()
    assert world.list_ids() == ["z-a"]
