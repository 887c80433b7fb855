"""Resource options on the embedded engine: they mean what they mean to the Pulumi CLI."""

import pytest

from flowflare.errors import ProtectedError, UpdateFailed
from tests.engine.projects import Sample, World, changed


def thing(arguments: str) -> str:
    return f"import pulumi\nfrom pulumi import *\nfrom things import Thing\n{arguments}\n"


def test_a_replacement_makes_the_new_one_first_then_deletes_dependents_first(
    thing_sample: Sample, world: World
) -> None:
    both = "z = Thing('z', kind='{0}')\nw = Thing('w', kind=z.id)"
    thing_sample.program(thing(both.format("a"))).up()
    world.log()
    plan = thing_sample.program(thing(both.format("b"))).preview()
    assert changed(plan) == {"z": "replace", "w": "replace"}
    update = thing_sample.up()
    assert changed(update) == {"z": "replace", "w": "replace"}
    assert world.log() == ["create z-b", "create w-z-b", "delete w-z-a", "delete z-a"]
    assert world.ids() == ["w-z-b", "z-b"]
    assert not any(one.get("delete") for one in thing_sample.records())


def test_delete_before_replace_takes_along_what_its_change_would_replace(
    thing_sample: Sample, world: World
) -> None:
    program = """
first = ResourceOptions(delete_before_replace=True)
z = Thing('z', kind='{0}', opts=first)
w = Thing('w', kind=z.id)
u = Thing('u', value=z.id)
"""
    thing_sample.program(thing(program.format("a"))).up()
    world.log()
    update = thing_sample.program(thing(program.format("b"))).up()
    assert changed(update) == {"z": "replace", "w": "replace", "u": "update"}
    log = world.log()
    assert log[:3] == ["delete w-z-a", "delete z-a", "create z-b"]
    assert sorted(log[3:]) == ["create w-z-b", "update u-a"]
    assert not any(one.get("pendingReplacement") for one in thing_sample.records())


def test_a_delete_before_replace_that_fails_is_resumed(thing_sample: Sample, world: World) -> None:
    thing_sample.program(thing("Thing('z', 'x', kind='a', dbr=True)")).up()
    with pytest.raises(UpdateFailed, match="z-b blew up"):
        thing_sample.program(thing("Thing('z', 'boom', kind='b', dbr=True)")).up()
    assert thing_sample.record("z")["pendingReplacement"] is True
    assert world.ids() == []
    thing_sample.program(thing("Thing('z', 'y', kind='b', dbr=True)"))
    assert changed(thing_sample.preview()) == {"z": "replace"}
    assert changed(thing_sample.up()) == {"z": "replace"}
    assert world.ids() == ["z-b"]
    assert "pendingReplacement" not in thing_sample.record("z")


def test_protect_forbids_deleting(thing_sample: Sample, world: World) -> None:
    thing_sample.program(thing("Thing('z', opts=ResourceOptions(protect=True))")).up()
    thing_sample.program(thing(""))
    plan = thing_sample.preview()
    assert [(one.name, one.kind) for one in plan.failures] == [("z", "protected")]
    with pytest.raises(ProtectedError, match=r"z \(pulumi-python:dynamic/test:Thing\) is prot"):
        thing_sample.up()
    with pytest.raises(ProtectedError, match=r"allowDataLoss: \{z: <reason>\}"):
        thing_sample.up()
    assert world.ids() == ["z-a"]
    # Lifted by one run that changes nothing else.
    thing_sample.program(thing("Thing('z')")).up()
    thing_sample.program(thing("")).up()
    assert world.ids() == []


def test_protect_forbids_replacing(thing_sample: Sample, world: World) -> None:
    program = "Thing('z', kind='{0}', opts=ResourceOptions(protect={1}))\nThing('other', '{0}')"
    thing_sample.program(thing(program.format("a", True))).up()
    thing_sample.program(thing(program.format("b", True)))
    assert [one.kind for one in thing_sample.preview().failures] == ["protected"]
    with pytest.raises(ProtectedError, match="cannot be replaced"):
        thing_sample.up()
    assert world.ids() == ["other-a", "z-a"]
    assert thing_sample.record("other")["inputs"]["value"] == "b"
    # As with the Pulumi CLI, one run lifts the protection and replaces.
    thing_sample.program(thing(program.format("b", False)))
    (step,) = [one for one in thing_sample.preview().steps if one.name == "z"]
    assert (step.op, step.protected, step.protect) == ("replace", True, False)
    thing_sample.up()
    assert world.ids() == ["other-a", "z-b"]
    assert "protect" not in thing_sample.record("z")


def test_a_destroy_stops_at_what_is_protected_before_it_deletes_anything(
    thing_sample: Sample, world: World
) -> None:
    program = """
held = ResourceOptions(protect=True)
a = Thing('a')
b = Thing('b', a.id, opts=held)
c = Thing('c', opts=held)
"""
    thing_sample.program(thing(program)).up()
    with pytest.raises(ProtectedError, match="nothing was deleted") as caught:
        thing_sample.destroy()
    assert "flowflare destroy --stack dev --lose-data b c" in str(caught.value)
    with pytest.raises(ProtectedError, match=r"nothing was deleted:\n  c \("):
        thing_sample.open().destroy(lose_data=["b"])
    with pytest.raises(ProtectedError, match="None is called bb"):
        thing_sample.open().destroy(lose_data=["bb", "c"])
    assert world.ids() == ["a-a", "b-a", "c-a"]
    plan = thing_sample.open().plan_destroy(lose_data=["b"])
    assert [(one.name, one.kind) for one in plan.failures] == [("c", "protected")]
    assert {one.op for one in plan.steps} == {"delete"}
    # A destroy that was killed is run again with the same words, when some of it is gone.
    thing_sample.open().destroy(lose_data=["b", "c", "gone"])
    assert world.ids() == []


def test_retain_on_delete_only_forgets(thing_sample: Sample, world: World) -> None:
    program = "Thing('z', kind='{}', opts=ResourceOptions(retain_on_delete=True))"
    thing_sample.program(thing(program.format("a"))).up()
    thing_sample.program(thing(program.format("b"))).up()
    assert world.ids() == ["z-a", "z-b"]
    thing_sample.program(thing("")).up()
    assert world.ids() == ["z-a", "z-b"]
    assert [one["type"] for one in thing_sample.records()] == ["pulumi:pulumi:Stack"]


def test_deleted_with_spares_the_call(thing_sample: Sample, world: World) -> None:
    thing_sample.program(
        thing("z = Thing('z')\nThing('w', opts=ResourceOptions(deleted_with=z))")
    ).up()
    thing_sample.destroy()
    assert "delete w-a" not in world.log()


@pytest.mark.parametrize(
    "option",
    [
        "aliases=[Alias(name='old')]",
        "aliases=['urn:pulumi:dev::p::pulumi-python:dynamic/test:Thing::old']",
        "aliases=[Alias(name='old', parent=ROOT_STACK_RESOURCE)]",
    ],
)
def test_a_rename_with_an_alias_keeps_the_resource(
    thing_sample: Sample, world: World, option: str
) -> None:
    program = "z = Thing('{0}', opts=ResourceOptions({1}))\nThing('after', z.token)"
    # Its name is an input too, but one that the provider does not look at.
    text = thing(program.format("old", ""))
    thing_sample.program(text).up()
    world.log()
    renamed = text.replace("Thing('old'", "Thing('new'").replace(
        "ResourceOptions()", f"ResourceOptions({option})"
    )
    plan = thing_sample.program(renamed).preview()
    assert changed(plan) == {}
    assert next(step for step in plan.steps if step.name == "new").note.startswith("was old")
    assert thing_sample.up().changed == 0
    assert world.log() == []
    assert thing_sample.record("after")["dependencies"] == [thing_sample.record("new")["urn"]]
    assert changed(thing_sample.preview()) == {}


def test_children_follow_their_parents_alias(thing_sample: Sample, world: World) -> None:
    program = """
class Group(ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("test:index:Group", name, None, opts)
        Thing(name + "-one", "x", opts=ResourceOptions(parent=self))
        inner = ComponentResource("test:index:Inner", "inner", None, ResourceOptions(parent=self))
        Thing("deep", "y", opts=ResourceOptions(parent=inner))
Group("{}", ResourceOptions(aliases={}))
"""
    thing_sample.program(thing(program.format("old", []))).up()
    world.log()
    thing_sample.program(thing(program.format("new", "[Alias(name='old')]")))
    assert changed(thing_sample.preview()) == {}
    assert thing_sample.up().changed == 0
    assert world.log() == []
    names = {one["urn"].rpartition("::")[2] for one in thing_sample.records()}
    assert {"new", "new-one", "inner", "deep"} <= names
    assert not names & {"old", "old-one"}


def test_ignored_changes_are_not_made(thing_sample: Sample, world: World) -> None:
    program = (
        "Thing('z', {{'a': '{0}', 'list': [1, '{0}']}}, opts=ResourceOptions(ignore_changes=[{1}]))"
    )
    thing_sample.program(thing(program.format("one", ""))).up()
    world.log()
    for paths in (
        "'value'",
        "'value.a', 'value.list[1]'",
        "'value[\"a\"]', 'value.list[*]'",
        "'*'",
    ):
        thing_sample.program(thing(program.format("two", paths)))
        assert changed(thing_sample.preview()) == {}, paths
        assert thing_sample.up().changed == 0
    plan = thing_sample.program(thing(program.format("two", "'value.a'"))).preview()
    (change,) = next(step for step in plan.steps if step.name == "z").changes
    assert change.path == "value.list[1]"


def test_replace_on_changes_and_replacement_trigger(thing_sample: Sample, world: World) -> None:
    options = "replace_on_changes=['value'], replacement_trigger={}"
    program = "Thing('z', '{}', opts=ResourceOptions(" + options + "))"
    thing_sample.program(thing(program.format("one", 1))).up()
    plan = thing_sample.program(thing(program.format("two", 1))).preview()
    assert changed(plan) == {"z": "replace"}
    assert plan.steps[1].replaces == ("value",)
    plan = thing_sample.program(thing(program.format("one", 2))).preview()
    assert plan.steps[1].replaces == ("replacementTrigger",)
    thing_sample.up()
    assert thing_sample.preview().changed == 0


def test_replace_with_follows_its_target(thing_sample: Sample, world: World) -> None:
    program = "z = Thing('z', kind='{}')\nThing('w', opts=ResourceOptions(replace_with=[z]))"
    thing_sample.program(thing(program.format("a"))).up()
    plan = thing_sample.program(thing(program.format("b"))).preview()
    assert changed(plan) == {"z": "replace", "w": "replace"}


def test_custom_timeouts_are_kept_in_seconds(thing_sample: Sample) -> None:
    option = "custom_timeouts=CustomTimeouts(create='5m', delete='1h30m')"
    thing_sample.program(thing(f"Thing('z', opts=ResourceOptions({option}))")).up()
    assert thing_sample.record("z")["customTimeouts"] == {"create": 300, "delete": 5400}


def test_a_resource_read_and_not_managed_is_only_forgotten(
    thing_sample: Sample, world: World
) -> None:
    thing_sample.program(thing("Thing('z', 'x')")).up()
    provider = thing_sample.record("z")["inputs"]["__provider"]
    program = """
class Known(CustomResource):
    def __init__(self, name, id):
        props = {"__provider": PICKLE, "name": "z", "kind": "a", "value": None}
        super().__init__("pulumi-python:dynamic/test:Thing", name, props, ResourceOptions(id=id))
Thing('z', 'x')
pulumi.export("id", Known("known", "ID").id)
""".replace("PICKLE", repr(provider))
    thing_sample.program(thing(program.replace("ID", "z-a"))).up()
    record = thing_sample.record("known")
    assert (record["external"], record["id"]) == (True, "z-a")
    assert thing_sample.preview().changed == 0
    with pytest.raises(UpdateFailed, match=r"there is no .* with the id 'nobody'"):
        thing_sample.program(thing(program.replace("ID", "nobody"))).up()
    thing_sample.program(thing("Thing('z', 'x')")).up()
    assert world.ids() == ["z-a"]
