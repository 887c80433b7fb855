"""Values from the environment, files and Pulumi's configuration; what cannot be a secret."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from flowflare.errors import SecretError
from flowflare.model.secret_sources import (
    ConfigSource,
    EnvironmentSource,
    FileSource,
    GeneratedSource,
    SecretSource,
    from_wire,
    to_wire,
)
from flowflare.secrets.local import warn_of_permissions
from flowflare.secrets.sources import MAX_BYTES, Place, fetch, look

TOKEN = EnvironmentSource(variable="TOKEN")
KEY = FileSource(path="keys/token")


def place(root: Path, **environ: str) -> Place:
    return Place(root, environ)


def write(root: Path, data: bytes) -> Path:
    file = root / "keys" / "token"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("text", [b"word", b"word\n", b"word\r\n"])
def test_a_file_is_its_text_without_the_last_line_break(tmp_path: Path, text: bytes) -> None:
    write(tmp_path, text)
    assert fetch(KEY, place(tmp_path)).text == "word"
    assert fetch(FileSource(path=str(tmp_path / "keys/token")), place(Path("/"))).text == "word"


def test_each_source_returns_its_value(tmp_path: Path) -> None:
    write(tmp_path, b"two\nlines\n\n")
    assert fetch(TOKEN, place(tmp_path, TOKEN="grün")).text == "grün"
    assert fetch(KEY, place(tmp_path)).text == "two\nlines\n"
    assert fetch(ConfigSource(value=SecretStr("word")), place(tmp_path)).text == "word"
    generated = GeneratedSource(bytes=16)
    made = fetch(generated, place(tmp_path), random_bytes=lambda size: b"\xff" * size)
    assert made.text == "_" * 21 + "w"
    assert fetch(generated, place(tmp_path)).text != fetch(generated, place(tmp_path)).text


@pytest.mark.parametrize(
    ("source", "environ", "data", "said"),
    [
        (TOKEN, {}, b"", "environment variable TOKEN is not set"),
        (TOKEN, {"TOKEN": ""}, b"", "environment variable TOKEN is empty"),
        (TOKEN, {"TOKEN": "\udcff"}, b"", "environment variable TOKEN is not UTF-8 text"),
        (FileSource(path="keys/other"), {}, b"x", "file keys/other does not exist"),
        (FileSource(path="keys"), {}, b"x", "file keys cannot be read: Is a directory"),
        (KEY, {}, b"\n", "file keys/token is empty"),
        (KEY, {}, b"\xff\xfe", "file keys/token is not UTF-8 text"),
        (
            KEY,
            {},
            b"x" * (MAX_BYTES + 1),
            "has 5,121 bytes; a Worker's secret can have at most 5,1",
        ),
        (ConfigSource(), {}, b"", "Pulumi's configuration is empty"),
    ],
)
def test_a_value_that_cannot_be_a_secret_is_refused_with_a_remedy(
    tmp_path: Path, source: SecretSource, environ: dict[str, str], data: bytes, said: str
) -> None:
    write(tmp_path, data)
    for ask in (fetch, lambda *words: look(*words, name="TOKEN", key="k")):
        with pytest.raises(SecretError) as caught:
            ask(source, Place(tmp_path, environ))
        assert said in caught.value.message
        assert caught.value.remedy


def test_a_secret_of_five_kilobytes_is_accepted(tmp_path: Path) -> None:
    write(tmp_path, b"x" * MAX_BYTES + b"\n")
    assert len(fetch(KEY, place(tmp_path)).text) == MAX_BYTES


def test_a_file_that_other_users_can_read_causes_a_warning(tmp_path: Path) -> None:
    file = write(tmp_path, b"word")
    file.chmod(0o644)
    warning = warn_of_permissions(KEY, tmp_path)
    assert warning is not None
    assert "keys/token can be read by other users (0644)" in warning
    file.chmod(0o600)
    assert warn_of_permissions(KEY, tmp_path) is None
    assert warn_of_permissions(FileSource(path="gone"), tmp_path) is None


def test_a_fingerprint_depends_on_value_name_and_key(tmp_path: Path) -> None:
    def identify(value: str, name: str = "TOKEN", key: str | None = "key") -> str | None:
        return look(TOKEN, place(tmp_path, TOKEN=value), name=name, key=key).fingerprint

    assert identify("word") == identify("word") == "edca22298a61f664"
    others = [identify("other"), identify("word", name="OTHER"), identify("word", key="other")]
    assert len({identify("word"), *others}) == 4
    assert identify("word", key=None) is None


def test_a_source_travels_without_its_value() -> None:
    source = ConfigSource(value=SecretStr("canary"))
    assert to_wire(source) == {"kind": "configuration"}
    assert "canary" not in f"{source!r} {source}"
    # Property values are float64.
    assert from_wire({"kind": "generated", "bytes": 32.0, "generation": 2.0}) == GeneratedSource(
        generation=2
    )
