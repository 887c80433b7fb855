"""The embedded engine runs dynamic providers in its own process as Pulumi's provider host does."""

import json
import pickle
import threading
from pathlib import Path

import pytest

from flowflare.errors import UpdateFailed
from tests.engine.projects import Sample, Things, list_changes, make_sample

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


def make_recorder(tmp_path: Path) -> Sample:
    config = {"p:seen": str(tmp_path / "seen"), "p:word": "w", "other:word": {"a": 1}}
    sample = make_sample(tmp_path / "project", config=config)
    return sample.write_module("rec", RECORDER).write_program(
        "from rec import Recorded\nRecorded(5)"
    )


def test_providers_receive_plain_values_and_the_whole_configuration(tmp_path: Path) -> None:
    sample = make_recorder(tmp_path)
    sample.up()
    first, check, create = [line.strip() for line in (tmp_path / "seen").read_text().splitlines()]
    # Before an `up` changes anything, every provider checks its inputs.
    assert first == check
    assert "'number': 5.0" in check
    assert "'hidden': 'h'" in check
    assert "'extra'" not in check
    assert json.loads(create)[1].replace(" ", "") == """['w','{"a":1}',None]"""
    record = sample.find_record("r")
    assert record["type"] == "pulumi-python:dynamic/deep:Recorded"
    assert set(record["inputs"]) == {"number", "hidden", "added", "__provider"}
    # Outputs are exactly those of the provider; a top-level None is dropped.
    assert set(record["outputs"]) == {"only", "tuple", "hidden", "__provider"}
    assert record["outputs"]["only"] == 5
    assert record["outputs"]["tuple"] == [1, 2]
    # An output is secret if the input of the same name is.
    assert "ciphertext" in record["outputs"]["hidden"]
    # The provider itself is always secret, unless the class says otherwise.
    assert "ciphertext" in record["outputs"]["__provider"]
    assert "ciphertext" in record["inputs"]["hidden"]


def test_inputs_are_compared_if_a_providers_diff_has_no_answer(tmp_path: Path) -> None:
    sample = make_recorder(tmp_path)
    sample.up()
    assert list_changes(sample.preview()) == {}
    plan = sample.write_program("from rec import Recorded\nRecorded(6)").preview()
    assert list_changes(plan) == {"r": "update"}
    sample.up()
    assert set(sample.find_record("r")["outputs"]) == {"only", "__provider"}


def test_the_record_of_the_dynamic_provider_has_the_whole_configuration(tmp_path: Path) -> None:
    sample = make_recorder(tmp_path)
    sample.up()
    provider = sample.find_record("default")
    assert provider["urn"] == "urn:pulumi:dev::p::pulumi:providers:pulumi-python::default"
    expected = {"p:seen": str(tmp_path / "seen"), "p:word": "w", "other:word": '{"a":1}'}
    inputs = {key: str(value).replace(" ", "") for key, value in provider["inputs"].items()}
    assert inputs == expected
    assert provider["outputs"] == provider["inputs"]


def test_a_provider_class_in_the_program_itself_is_pickled_by_value(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "project")
    sample.write_program(
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
    sample.write_program("import pulumi").up()
    assert len(sample.read_records()) == 1


def test_a_provider_whose_module_moved_cannot_delete_and_the_error_says_why(
    thing_sample: Sample, world: Things
) -> None:
    thing_sample.write_program("from things import Thing\nThing('z')").up()
    (thing_sample.root / "infra" / "things.py").unlink()
    with pytest.raises(UpdateFailed, match="Its module and class must not be moved"):
        thing_sample.write_program("import pulumi").up()
    assert world.list_ids() == ["z-a"]


def test_a_run_does_not_change_the_pickle_module(thing_sample: Sample) -> None:
    methods = dict(pickle._Pickler.__dict__)  # type: ignore[attr-defined]
    pickler = pickle.Pickler
    thing_sample.write_program("from things import Thing\n[Thing(f'z{n}') for n in range(30)]").up()
    assert dict(pickle._Pickler.__dict__) == methods  # type: ignore[attr-defined]
    assert pickle.Pickler is pickler


def test_parallel_runs_in_one_process_do_not_disturb_each_other(tmp_path: Path) -> None:
    samples = []
    for index in range(4):
        folder = tmp_path / f"world{index}"
        folder.mkdir()
        sample = make_sample(tmp_path / f"project{index}", config={"p:world": str(folder)})
        sample.write_module("things", (Path(__file__).parent / "things.py").read_text())
        sample.write_program(
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
        assert len(Things(tmp_path / f"world{index}").list_ids()) == 6
