"""Dynamic resources in process: real pickles, the real host's manners."""

import json
import pickle
import threading
from pathlib import Path

import pytest

from flowflare.errors import UpdateFailed
from tests.engine.projects import Sample, World, changed, make_sample

RECORDER = """
    import json
    from pathlib import Path
    import pulumi
    from pulumi.dynamic import *
    class Recorder(ResourceProvider):
        def configure(self, req):
            self.file = Path(req.config.require("seen"))
            self.config = [req.config.get(key) for key in ("word", "other:word", "no")]
        def note(self, what, *values):
            with self.file.open("a") as file:
                file.write(json.dumps([what, *[repr(value) for value in values]]) + "\\n")
        def check(self, olds, news):
            self.note("check", {**olds, "__provider": 0}, {**news, "__provider": 0})
            return CheckResult({**news, "added": 1}, [])
        def diff(self, id, olds, news):
            self.note("diff", id, sorted(olds), sorted(news))
            return DiffResult()
        def create(self, props):
            self.note("create", self.config, sorted(props))
            return CreateResult("made", {"only": props["number"], "none": None, "tuple": (1, 2),
                "hidden": props["hidden"]})
        def update(self, id, olds, news):
            return UpdateResult({"only": news["number"]})
    class Recorded(Resource, module="deep", name="Recorded"):
        def __init__(self, number, extra=None):
            props = {"number": number, "hidden": pulumi.Output.secret("h"), "extra": extra}
            super().__init__(Recorder(), "r", props)
"""


def recorder(tmp_path: Path) -> Sample:
    config = {"p:seen": str(tmp_path / "seen"), "p:word": "w", "other:word": {"a": 1}}
    made = make_sample(tmp_path / "project", config=config)
    return made.module("rec", RECORDER).program("from rec import Recorded\nRecorded(5)")


def test_providers_see_plain_values_and_the_whole_configuration(tmp_path: Path) -> None:
    sample = recorder(tmp_path)
    sample.up()
    check, create = [line.strip() for line in (tmp_path / "seen").read_text().splitlines()]
    assert "'number': 5.0" in check
    assert "'hidden': 'h'" in check
    assert "'extra'" not in check
    assert json.loads(create)[1].replace(" ", "") == """['w','{"a":1}',None]"""
    record = sample.record("r")
    assert record["type"] == "pulumi-python:dynamic/deep:Recorded"
    assert set(record["inputs"]) == {"number", "hidden", "added", "__provider"}
    # Outputs are the provider's own, whole; a top-level None is dropped.
    assert set(record["outputs"]) == {"only", "tuple", "hidden", "__provider"}
    assert record["outputs"]["only"] == 5
    assert record["outputs"]["tuple"] == [1, 2]
    # An output under a secret input's name is secret.
    assert "ciphertext" in record["outputs"]["hidden"]
    # Secret always, unless the class says otherwise.
    assert "ciphertext" in record["outputs"]["__provider"]
    assert "ciphertext" in record["inputs"]["hidden"]


def test_a_diff_that_does_not_know_compares_inputs(tmp_path: Path) -> None:
    sample = recorder(tmp_path)
    sample.up()
    assert changed(sample.preview()) == {}
    plan = sample.program("from rec import Recorded\nRecorded(6)").preview()
    assert changed(plan) == {"r": "update"}
    sample.up()
    assert set(sample.record("r")["outputs"]) == {"only", "__provider"}


def test_the_pulumi_python_provider_holds_the_configuration(tmp_path: Path) -> None:
    sample = recorder(tmp_path)
    sample.up()
    provider = sample.record("default")
    assert provider["urn"] == "urn:pulumi:dev::p::pulumi:providers:pulumi-python::default"
    wanted = {"p:seen": str(tmp_path / "seen"), "p:word": "w", "other:word": '{"a":1}'}
    assert {key: str(value).replace(" ", "") for key, value in provider["inputs"].items()} == wanted
    assert provider["outputs"] == provider["inputs"]


def test_a_class_of_the_program_itself_is_pickled_by_value(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "project")
    sample.program(
        """
        import pulumi
        from pulumi.dynamic import *
        class Here(ResourceProvider):
            def create(self, props):
                return CreateResult("here", {"word": props["word"] + "!"})
        class Thing(Resource):
            word: pulumi.Output[str]
            def __init__(self, name, word):
                super().__init__(Here(), name, {"word": word})
        pulumi.export("word", Thing("t", "hello").word)
        """
    )
    assert sample.up().outputs == {"word": "hello!"}
    assert sample.up().changed == 0
    sample.program("import pulumi").up()
    assert len(sample.records()) == 1


def test_a_provider_that_moved_cannot_delete_and_says_so(
    thing_sample: Sample, world: World
) -> None:
    thing_sample.program("from things import Thing\nThing('z')").up()
    (thing_sample.root / "infra" / "things.py").unlink()
    with pytest.raises(UpdateFailed, match="Its module and class must stay where they were"):
        thing_sample.program("import pulumi").up()
    assert world.ids() == ["z-a"]


def test_pickle_is_left_as_it_was(thing_sample: Sample) -> None:
    methods = dict(pickle._Pickler.__dict__)  # type: ignore[attr-defined]
    pickler = pickle.Pickler
    thing_sample.program("from things import Thing\n[Thing(f'z{n}') for n in range(30)]").up()
    assert dict(pickle._Pickler.__dict__) == methods  # type: ignore[attr-defined]
    assert pickle.Pickler is pickler


def test_many_runs_in_one_process_do_not_disturb_each_other(tmp_path: Path) -> None:
    samples = []
    for index in range(4):
        folder = tmp_path / f"world{index}"
        folder.mkdir()
        sample = make_sample(tmp_path / f"project{index}", config={"p:world": str(folder)})
        sample.module("things", (Path(__file__).parent / "things.py").read_text())
        sample.program(
            f"""
            import pulumi
            from things import Thing
            first = Thing("t{index}", "{index}")
            for n in range(5):
                Thing(f"t{index}-{{n}}", first.token)
            pulumi.export("index", {index})
            pulumi.export("folder", pulumi.Config().require("world"))
            """
        )
        samples.append(sample)
    outputs: dict[int, object] = {}

    def run(index: int) -> None:
        outputs[index] = samples[index].up().outputs

    threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outputs == {
        index: {"index": index, "folder": str(tmp_path / f"world{index}")} for index in range(4)
    }
    for index in range(4):
        assert len(World(tmp_path / f"world{index}").ids()) == 6
