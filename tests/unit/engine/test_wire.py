"""Values over the wire and in the checkpoint: nothing is lost, nothing secret is shown."""

import json

import pytest
from google.protobuf import struct_pb2

from flowflare.state.checkpoint import dump_secret, dump_value, load_value
from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.properties import (
    UNKNOWN,
    Asset,
    Reference,
    Secret,
    annotate,
    equal,
    has_unknown,
    json_text,
    make_secret,
    plain,
)
from flowflare.values.show import changes, show_value
from flowflare.values.wire import OUTPUT, SECRET, SIGNATURE, UNKNOWN_TEXT, read_struct, write_struct

SALT = "v1:AnwsOFAODHA=:v1:QE5hRlR7ZbNE6aMM:wb1Wp2YZ5zw54f1/ZbQszR/UJjrEKA=="

EVERYTHING = {
    "text": "t",
    "number": 5.0,
    "big": 9007199254740993.0,
    "bool": True,
    "list": [1.0, None, [Secret("s")]],
    "map": {"null": None, "unknown": UNKNOWN, "secret": Secret({"a": [1.0]})},
    "asset": Asset(archive=False, fields={"text": "x"}),
    "archive": Asset(archive=True, fields={"assets": {"a": Asset(False, {"text": "y"})}}),
    "resource": Reference("urn:pulumi:dev::p::t::n", "id"),
    "component": Reference("urn:pulumi:dev::p::t::n", None),
    "secret unknown": Secret(UNKNOWN),
}


def test_values_survive_the_wire() -> None:
    read = read_struct(write_struct(EVERYTHING))
    assert read.keys() == EVERYTHING.keys()
    for key, value in EVERYTHING.items():
        assert equal(read[key], value, strict=True), key


def test_a_top_level_none_counts_as_absent() -> None:
    assert read_struct(write_struct({"a": None, "b": 1.0})) == {"b": 1.0}


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"value": "x"}, "x"),
        ({}, UNKNOWN),
        ({"value": "x", "secret": True, "dependencies": ["u"]}, Secret("x")),
        ({"secret": True}, Secret(UNKNOWN)),
    ],
)
def test_output_values_are_taken_apart(fields: dict[str, object], value: object) -> None:
    struct = struct_pb2.Struct()
    struct.update({"o": {SIGNATURE: OUTPUT, **fields}})
    assert equal(read_struct(struct)["o"], value, strict=True)


def test_every_typed_unknown_is_an_unknown() -> None:
    struct = struct_pb2.Struct()
    struct.update({"b": "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", "u": UNKNOWN_TEXT})
    assert read_struct(struct) == {"b": UNKNOWN, "u": UNKNOWN}


def test_an_unknown_signature_is_refused() -> None:
    struct = struct_pb2.Struct()
    struct.update({"o": {SIGNATURE: "nonsense"}})
    with pytest.raises(ValueError, match="signature that this engine does not know"):
        read_struct(struct)


def test_values_survive_the_checkpoint() -> None:
    vault = Vault(Passphrase("correct horse", "test"), SALT)
    kept = {key: value for key, value in EVERYTHING.items() if "unknown" not in key}
    kept["map"] = {"null": None, "secret": Secret({"a": [1.0]})}
    dumped = json.loads(json.dumps(dump_value(kept, vault)))
    assert dumped["number"] == 5
    assert dumped["map"]["secret"].keys() == {SIGNATURE, "ciphertext"}
    loaded = load_value(dumped, vault)
    for key, value in kept.items():
        assert equal(loaded[key], value, strict=True), key
    # Written again as it was read, without being opened.
    assert dump_value(loaded, vault) == dump_value(loaded, vault)
    assert dump_value(loaded["map"], vault)["secret"] == dumped["map"]["secret"]


@pytest.mark.parametrize(
    "secret", [{SIGNATURE: SECRET}, {SIGNATURE: SECRET, "ciphertext": "v1:a:b", "plaintext": "1"}]
)
def test_a_secret_has_exactly_one_form(secret: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either a ciphertext or a plaintext"):
        load_value(secret, Vault(Passphrase("x", "x"), SALT))


def test_plaintext_secrets_are_read() -> None:
    vault = Vault(Passphrase("x", "x"), SALT)
    assert load_value({SIGNATURE: SECRET, "plaintext": '"x"'}, vault) == Secret("x")


def test_what_is_encrypted_is_json_with_inner_secrets_opened() -> None:
    assert dump_secret(Secret("x")) == '"x"'
    assert dump_secret(Secret({"a": Secret([1.0, None, True])})) == '{"a":[1,null,true]}'
    assert json_text({"n": [5.0, 1.5, 1e21]}) == '{"n":[5,1.5,1e+21]}'


def test_plain_is_what_a_provider_sees() -> None:
    value = {"a": Secret({"b": Secret(1.0)}), "none": None, "l": [None, Reference("u", "id")]}
    assert plain(value) == {"a": {"b": 1.0}, "l": [None, "id"]}
    assert plain([UNKNOWN, Reference("u", None)], unknown="?") == ["?", "u"]


def test_annotate_marks_what_was_secret() -> None:
    secret = Secret("s")
    like = {"a": secret, "l": [{"t": Secret("x")}, {}], "gone": Secret("y")}
    value = {"a": "s", "l": [{"t": "x2"}, {"t": "z"}], "new": "n"}
    marked = annotate(value, like)
    assert marked["a"] is secret
    assert equal(marked["l"], [{"t": Secret("x2")}, {"t": "z"}], strict=True)
    assert marked["new"] == "n"
    assert equal(make_secret({"k": "v", "o": 1}, ("k",)), {"k": Secret("v"), "o": 1}, strict=True)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (True, 1.0, False),
        (1.0, 1, True),
        ({"a": None}, {}, False),
        ([1], [1, 2], False),
        (Secret("a"), "a", True),
        (Secret("a"), Secret("a"), True),
        (UNKNOWN, UNKNOWN, True),
        (UNKNOWN, "x", False),
    ],
)
def test_equality(left: object, right: object, same: bool) -> None:
    assert equal(left, right) is same
    assert equal(right, left) is same


def test_unknowns_are_found_at_any_depth() -> None:
    assert has_unknown({"a": [Secret({"b": UNKNOWN})]})
    assert has_unknown(Reference("u", UNKNOWN))
    assert not has_unknown({"a": [Secret("b"), Reference("u", "i")]})


def test_nothing_secret_is_shown() -> None:
    value = {"s": Secret("canary"), "u": UNKNOWN, "n": 5.0, "a": Asset(False, {"text": "x"})}
    assert show_value(value) == {"s": "[secret]", "u": "[unknown]", "n": 5, "a": "[asset]"}
    assert show_value(value, show_secrets=True)["s"] == "canary"
    assert show_value(UNKNOWN_TEXT) == "[unknown]", "as a recording stores it"
    assert "canary" not in repr(Secret("canary"))


def test_changes_are_listed_by_path() -> None:
    old = {"a": {"b.c": 1.0, "d": "x"}, "l": [1.0, 2.0], "same": 1.0, "__provider": "p"}
    new = {"a": {"d": UNKNOWN}, "l": [1.0], "same": 1.0, "__provider": "q", "n": Secret("s")}
    found = changes(old, new, replaces=("a.d",), sources={"a": ["urn:pulumi:d::p::t::db"]})
    assert [
        (change.path, change.kind, change.old, change.new, change.replaces) for change in found
    ] == [
        ('a["b.c"]', "delete", 1, None, True),
        ("a.d", "update", "x", "[unknown]", True),
        ("l[1]", "delete", 2, None, False),
        ("n", "add", None, "[secret]", False),
    ]
    assert [change.waits_for for change in found] == [(), ("db",), (), ()]
