"""Secrets are encrypted in state and in the configuration, in Pulumi's passphrase format."""

import gzip
import json
from pathlib import Path

import pytest

from flowflare.engine import Event
from flowflare.errors import SecretError, StateError
from flowflare.state.passphrase import Passphrase, Vault, find_passphrase
from tests.engine.projects import PASSPHRASE, SALT, Sample, Things, list_changes, make_sample

SECRET_PROGRAM = """
    import pulumi
    from things import Thing
    Thing("z", pulumi.Output.secret("canary"))
    pulumi.export("open", "word")
    pulumi.export("map", {"inner": pulumi.Output.secret({"deep": ["canary", 5, None]})})
"""


def open_vault() -> Vault:
    return Vault(Passphrase(PASSPHRASE, "the test"), SALT)


def test_no_file_of_the_stack_contains_a_secret_in_plain_text(thing_sample: Sample) -> None:
    thing_sample.write_program(SECRET_PROGRAM).up()
    for path in (thing_sample.root / ".flowflare").rglob("*"):
        assert path.is_dir() or b"canary" not in path.read_bytes(), path
    outputs = thing_sample.open().outputs(show_secrets=True)
    # Pulumi's SDK moves a secret inside a map up to the whole output.
    assert outputs == {"open": "word", "map": {"inner": {"deep": ["canary", 5, None]}}}
    assert thing_sample.open().outputs() == {"open": "word", "map": {"inner": "[secret]"}}


def test_secrets_are_hidden_in_an_output_that_is_not_marked_secret(thing_sample: Sample) -> None:
    stack_file = thing_sample.root / "Pulumi.dev.yaml"
    stack = json.loads(stack_file.read_text())
    stack["config"]["p:key"] = {"secure": open_vault().seal_text("configured-canary")}
    stack_file.write_text(json.dumps(stack))
    thing_sample.write_program(
        """
        import pulumi
        from things import Thing
        Thing("z", pulumi.Output.secret("state-canary"))
        pulumi.export("plain", ["a state-canary", {"b": pulumi.Config().require("key")}])
        """
    ).up()
    values = ["a state-canary", {"b": "configured-canary"}]
    assert thing_sample.open().outputs(show_secrets=True) == {"plain": values}
    assert thing_sample.open().outputs() == {"plain": ["a [secret]", {"b": "[secret]"}]}

    thing_sample.environ["PULUMI_CONFIG_PASSPHRASE"] = "wrong"
    events: list[Event] = []
    thing_sample.open().outputs(on_event=events.append)
    assert [event.severity for event in events] == ["warning", "warning"]
    assert "secrets of its state cannot be read, so they are not replaced" in events[1].message


def test_an_up_without_changes_keeps_every_ciphertext(thing_sample: Sample) -> None:
    thing_sample.write_program(SECRET_PROGRAM).up()
    before = thing_sample.find_record("z")["inputs"]["value"]
    thing_sample.write_program(SECRET_PROGRAM + '    pulumi.export("more", 1)\n').up()
    assert thing_sample.find_record("z")["inputs"]["value"] == before


def test_a_wrong_passphrase_is_refused_before_anything_happens(
    thing_sample: Sample, world: Things
) -> None:
    thing_sample.write_program(SECRET_PROGRAM).up()
    world.take_log()
    before = thing_sample.state_file.read_bytes()
    thing_sample.environ["PULUMI_CONFIG_PASSPHRASE"] = "wrong"
    thing_sample.write_program("import pulumi")
    for run in (thing_sample.up, thing_sample.destroy):
        with pytest.raises(SecretError, match="from PULUMI_CONFIG_PASSPHRASE does not decrypt"):
            run()
    assert world.take_log() == []
    assert thing_sample.state_file.read_bytes() == before
    # Commands that need no secret still work, as with the CLI.
    assert thing_sample.open().outputs()["open"] == "word"
    with pytest.raises(SecretError):
        thing_sample.open().outputs(show_secrets=True)


def test_a_passphrase_is_generated_once_and_stored_privately(tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "project", "import pulumi\npulumi.export('a', 1)")
    sample.environ.clear()
    (sample.root / "Pulumi.dev.yaml").write_text("config: {}\n")
    sample.up()
    file = sample.root / ".flowflare" / "passphrase"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text().strip()) >= 32
    (key,) = (sample.root / ".flowflare" / "keys").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    salt = sample.read_latest()["secrets_providers"]["state"]["salt"]
    key.write_text("damaged")
    assert Vault(find_passphrase(file.parent, {}), salt).open_text(
        Vault(find_passphrase(file.parent, {}), salt).seal_text("x")
    )
    assert "encryptionsalt" not in (sample.root / "Pulumi.dev.yaml").read_text()


def test_the_passphrase_may_be_in_a_file(thing_sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "phrase").write_text(PASSPHRASE + "\n")
    thing_sample.environ = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "phrase")}
    thing_sample.write_program(SECRET_PROGRAM).up()
    assert thing_sample.open().outputs(show_secrets=True)["open"] == "word"
    thing_sample.environ = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "nowhere")}
    with pytest.raises(SecretError, match="nowhere cannot be read"):
        thing_sample.preview()


def test_programs_and_providers_receive_secrets_of_the_configuration_decrypted(
    thing_sample: Sample, world: Things
) -> None:
    vault = open_vault()
    stack_file = thing_sample.root / "Pulumi.dev.yaml"
    stack = json.loads(stack_file.read_text())
    stack["config"] |= {
        "p:key": {"secure": vault.seal_text("canary")},
        "p:map": {"open": 1, "hidden": {"secure": vault.seal_text("deep-canary")}},
    }
    stack_file.write_text(json.dumps(stack))
    thing_sample.write_program(
        """
        import pulumi
        from things import Thing
        config = pulumi.Config()
        Thing("z", config.require_secret("key"))
        pulumi.export("map", config.require_secret_object("map"))
        """
    ).up()
    assert (world.folder / "z-a").read_text() == "canary"
    assert thing_sample.open().outputs(show_secrets=True) == {
        "map": {"open": 1, "hidden": "deep-canary"}
    }
    text = thing_sample.state_file.read_text()
    assert "canary" not in text
    assert "ciphertext" in thing_sample.find_record("default")["inputs"]["p:key"]
    assert thing_sample.preview().changed == 0


def test_a_secret_of_the_configuration_that_cannot_be_decrypted_is_named(
    thing_sample: Sample,
) -> None:
    stack_file = thing_sample.root / "Pulumi.dev.yaml"
    stack = json.loads(stack_file.read_text())
    stack["config"]["p:key"] = {"secure": "v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
    stack_file.write_text(json.dumps(stack))
    with pytest.raises(
        SecretError, match=r"Pulumi\.dev\.yaml:1: p:key: a secret cannot be decrypted"
    ):
        thing_sample.preview()
    salt = stack.pop("encryptionsalt")
    stack_file.write_text(json.dumps(stack))
    with pytest.raises(SecretError, match=r"Pulumi\.dev\.yaml has no encryptionsalt"):
        thing_sample.preview()
    stack_file.write_text(json.dumps(stack | {"encryptionsalt": salt[:-1]}))
    with pytest.raises(SecretError, match=r"p:key: the encryption salt in Pulumi\.dev\.yaml:1 is"):
        thing_sample.preview()


def test_state_with_another_salt_is_rewritten_with_the_salt_of_the_stack_file(
    thing_sample: Sample,
) -> None:
    stack_file = thing_sample.root / "Pulumi.dev.yaml"
    with_salt = stack_file.read_text()
    stack_file.write_text(json.dumps({"config": json.loads(with_salt)["config"]}))
    thing_sample.write_program(SECRET_PROGRAM).up()
    assert thing_sample.read_latest()["secrets_providers"]["state"]["salt"] != SALT
    stack_file.write_text(with_salt)
    assert list_changes(thing_sample.preview()) == {}
    thing_sample.write_program(SECRET_PROGRAM + '    pulumi.export("more", 1)\n').up()
    assert thing_sample.read_latest()["secrets_providers"]["state"]["salt"] == SALT
    ciphertext = thing_sample.find_record("z")["inputs"]["value"]["ciphertext"]
    assert open_vault().open_text(ciphertext) == '"canary"'


def test_an_input_that_becomes_secret_is_encrypted_by_the_next_up(thing_sample: Sample) -> None:
    thing_sample.write_program("from things import Thing\nThing('z', 'word')").up()
    thing_sample.write_program(
        "import pulumi\nfrom things import Thing\nThing('z', pulumi.Output.secret('word'))"
    )
    assert thing_sample.preview().changed == 0
    assert thing_sample.up().changed == 0
    assert "ciphertext" in thing_sample.find_record("z")["inputs"]["value"]
    assert "ciphertext" in thing_sample.find_record("z")["outputs"]["value"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("", "is not valid JSON"),
        ('{"version": 5, "checkpoint": {}}', "format version 5; this engine reads version 3"),
        ('{"version": 4, "features": ["views"], "checkpoint": {}}', "with the features views"),
        ('{"version": 3, "checkpoint": {"latest": {"resources": [{}]}}}', "a Pulumi checkpoint"),
    ],
)
def test_state_that_cannot_be_read_is_refused(
    thing_sample: Sample, text: str, message: str
) -> None:
    thing_sample.write_program(SECRET_PROGRAM).up()
    thing_sample.state_file.write_text(text)
    for run in (thing_sample.open().preview, thing_sample.open().up, thing_sample.open().outputs):
        with pytest.raises(StateError, match=message) as caught:
            run()
        assert str(thing_sample.state_file) in str(caught.value)
    assert thing_sample.state_file.read_text() == text


def test_state_in_an_unsupported_compression_is_named(thing_sample: Sample) -> None:
    thing_sample.write_program(SECRET_PROGRAM).up()
    thing_sample.state_file.with_name("dev.json.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    thing_sample.state_file.unlink()
    with pytest.raises(StateError, match="the state is compressed"):
        thing_sample.open().preview()


def test_a_compressed_state_is_read_and_written(thing_sample: Sample) -> None:
    thing_sample.write_program(SECRET_PROGRAM).up()
    plain, packed = thing_sample.state_file, thing_sample.state_file.with_name("dev.json.gz")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    thing_sample.environ["PULUMI_DIY_BACKEND_GZIP"] = "true"
    assert thing_sample.open().up().changed == 0
    thing_sample.open().destroy()
    assert b'"resources"' not in gzip.decompress(packed.read_bytes())
    assert not plain.exists()
    del thing_sample.environ["PULUMI_DIY_BACKEND_GZIP"]
    assert thing_sample.up().changed > 0
    assert not packed.exists()
    assert json.loads(plain.read_text())["version"] == 3
