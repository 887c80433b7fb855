"""A stack on the embedded engine is created, left unchanged, updated and destroyed."""

import json

from tests.engine.projects import Sample, Things, list_changes, list_ops

TWO = """
    import pulumi
    from things import Thing
    first = Thing("first", "one")
    second = Thing("second", first.token)
    pulumi.export("first", first.id)
    pulumi.export("token", second.token)
    pulumi.export("size", second.size)
"""


def test_a_preview_of_a_new_stack_names_unknown_outputs_and_creates_nothing(
    thing_sample: Sample, world: Things
) -> None:
    plan = thing_sample.write_program(TWO).preview()
    assert list_ops(plan) == {"first": "create", "second": "create"}
    assert plan.outputs == {"first": "[unknown]", "token": "[unknown]", "size": "[unknown]"}
    assert world.list_ids() == []
    assert not thing_sample.state_file.exists()


def test_up_creates_resources_in_order_and_stores_them(thing_sample: Sample, world: Things) -> None:
    update = thing_sample.write_program(TWO).up()
    assert list_changes(update) == {"first": "create", "second": "create"}
    assert world.take_log() == ["create first-a", "create second-a"]
    assert (world.folder / "second-a").read_text() == "token-of-first-a"
    assert update.outputs == {"first": "first-a", "token": "[secret]", "size": 5}
    outputs = thing_sample.open().outputs(show_secrets=True)
    assert outputs == {"first": "first-a", "token": "token-of-second-a", "size": 5}
    assert thing_sample.open().outputs()["token"] == "[secret]"
    second = thing_sample.find_record("second")
    first = thing_sample.find_record("first")
    assert second["dependencies"] == [first["urn"]]
    assert second["propertyDependencies"]["value"] == [first["urn"]]
    assert "pending_operations" not in thing_sample.read_latest()


def test_a_second_up_does_nothing_and_writes_nothing(thing_sample: Sample, world: Things) -> None:
    thing_sample.write_program(TWO).up()
    world.take_log()
    before = thing_sample.state_file.read_bytes()
    assert list_changes(thing_sample.preview()) == {}
    update = thing_sample.up()
    assert update.changed == 0
    assert world.take_log() == []
    assert thing_sample.state_file.read_bytes() == before


def test_a_changed_input_updates_and_dependents_follow(thing_sample: Sample, world: Things) -> None:
    thing_sample.write_program(TWO).up()
    world.take_log()
    thing_sample.write_program(TWO.replace('"one"', '"two"'))
    plan = thing_sample.preview()
    # As in the Pulumi CLI, outputs of a dynamic update are unknown, so dependents may change.
    assert list_changes(plan) == {"first": "update", "second": "update"}
    step = next(step for step in plan.steps if step.name == "first")
    (change,) = step.changes
    assert (change.path, change.old, change.new) == ("value", "one", "two")
    unknown = next(step for step in plan.steps if step.name == "second").changes[0]
    assert (unknown.path, unknown.old, unknown.new) == ("value", "[secret]", "[unknown]")
    assert unknown.waits_for == ("first",)
    update = thing_sample.up()
    assert list_changes(update) == {"first": "update"}
    assert world.take_log() == ["update first-a"]
    assert thing_sample.find_record("first")["outputs"]["value"] == "two"


def test_resources_that_the_program_no_longer_declares_are_deleted(
    thing_sample: Sample, world: Things
) -> None:
    thing_sample.write_program(TWO).up()
    world.take_log()
    thing_sample.write_program("import pulumi")
    plan = thing_sample.preview()
    assert [step.name for step in plan.steps if step.op == "delete"] == ["second", "first"]
    update = thing_sample.up()
    assert list_changes(update) == {"first": "delete", "second": "delete"}
    assert world.take_log() == ["delete second-a", "delete first-a"]
    assert world.list_ids() == []
    assert [each["type"] for each in thing_sample.read_records()] == ["pulumi:pulumi:Stack"]


def test_destroy_leaves_no_resources(thing_sample: Sample, world: Things) -> None:
    thing_sample.write_program(TWO).up()
    world.take_log()
    update = thing_sample.destroy()
    assert list_changes(update) == {"first": "delete", "second": "delete"}
    assert world.take_log() == ["delete second-a", "delete first-a"]
    assert "resources" not in thing_sample.read_latest()
    assert thing_sample.open().outputs() == {}
    assert thing_sample.destroy().steps == ()
    assert list_changes(thing_sample.up()) == {"first": "create", "second": "create"}


def test_independent_resources_are_created_at_the_same_time(thing_sample: Sample) -> None:
    # Each creation waits for the other: without parallel creations they would wait forever.
    thing_sample.write_module(
        "pair",
        """
        import threading
        import pulumi
        from pulumi.dynamic import CreateResult, Resource, ResourceProvider
        together = threading.Barrier(2, timeout=240)
        class Provider(ResourceProvider):
            def create(self, props):
                import pair
                pair.together.wait()
                return CreateResult(props["name"], props)
        class Pair(Resource):
            def __init__(self, name):
                super().__init__(Provider(), name, {"name": name})
        """,
    )
    thing_sample.write_program("from pair import Pair\nPair('left')\nPair('right')")
    assert list_changes(thing_sample.up()) == {"left": "create", "right": "create"}


def test_components_are_recorded_with_their_children_and_outputs(thing_sample: Sample) -> None:
    thing_sample.write_program(
        """
        import pulumi
        from things import Thing
        class Service(pulumi.ComponentResource):
            def __init__(self, name, size):
                super().__init__("test:index:Service", name, {"size": size})
                inner = Thing("inner", "x", opts=pulumi.ResourceOptions(parent=self))
                self.token = inner.token
                self.register_outputs({"token": inner.token})
        service = Service("service", 3)
        Thing("after", service.token, opts=pulumi.ResourceOptions(depends_on=[service]))
        pulumi.export("service", {"token": service.token, "none": None})
        """
    )
    assert list_changes(thing_sample.up()) == {
        "service": "create",
        "inner": "create",
        "after": "create",
    }
    service, inner = thing_sample.find_record("service"), thing_sample.find_record("inner")
    urn = "urn:pulumi:dev::p::test:index:Service$pulumi-python:dynamic/test:Thing::inner"
    assert inner["urn"] == urn
    assert inner["parent"] == service["urn"]
    assert service["inputs"] == {"size": 3}
    assert "ciphertext" in service["outputs"]["token"]
    assert thing_sample.find_record("after")["dependencies"] == [urn]
    assert thing_sample.preview().changed == 0


def test_every_step_has_a_start_event_and_an_end_event(thing_sample: Sample) -> None:
    thing_sample.write_program(TWO + '\n    pulumi.log.warn("mind the gap")').up()
    events = [
        (event.kind, event.step.name if event.step else event.message)
        for event in thing_sample.events
    ]
    assert ("note", "mind the gap") in events
    assert events.index(("started", "first")) < events.index(("done", "first"))
    assert events.index(("done", "first")) < events.index(("started", "second"))
    text = json.dumps([repr(event) for event in thing_sample.events])
    assert "token-of" not in text


def test_the_state_file_has_pulumis_layout(thing_sample: Sample) -> None:
    thing_sample.write_program(TWO).up()
    folder = thing_sample.root / ".flowflare" / "state" / ".pulumi"
    assert (folder / "meta.yaml").read_text() == "version: 1\n"
    assert (folder / "stacks" / "p" / "dev.json.bak").is_file()
    assert list((folder / "locks" / "organization" / "p" / "dev").iterdir()) == []
    raw = json.loads(thing_sample.state_file.read_text())
    assert raw["checkpoint"]["stack"] == "organization/p/dev"
    assert (thing_sample.root / ".flowflare" / ".gitignore").read_text() == "*\n"
