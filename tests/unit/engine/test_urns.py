"""URNs and aliases, by the rules of Pulumi's SDKs."""

import pytest

from flowflare.values.urns import Alias, child, earlier_urns, name_of, parse, type_of

STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"


def test_the_chain_lists_the_parents_types_without_the_stacks() -> None:
    outer = child("dev", "p", STACK, "my:pkg:A", "a")
    inner = child("dev", "p", outer, "my:pkg:B", "b")
    assert outer == "urn:pulumi:dev::p::my:pkg:A::a"
    assert inner == "urn:pulumi:dev::p::my:pkg:A$my:pkg:B::b"
    assert child("dev", "p", inner, "t:t:T", "k") == (
        "urn:pulumi:dev::p::my:pkg:A$my:pkg:B$t:t:T::k"
    )
    assert child("dev", "p", "", "t:t:T", "k") == "urn:pulumi:dev::p::t:t:T::k"


def test_a_name_may_hold_anything() -> None:
    urn = child("dev", "p", STACK, "t:t:T", "a::b c")
    assert (name_of(urn), type_of(urn)) == ("a::b c", "t:t:T")
    assert str(parse(urn)) == urn


@pytest.mark.parametrize("text", ["", "urn:pulumi:dev::p", "x::y::z::w"])
def test_a_text_that_is_not_a_urn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a URN"):
        parse(text)


URN = "urn:pulumi:dev::p::my:A$t:T::new-one"
PARENT = "urn:pulumi:dev::p::my:A::new"


@pytest.mark.parametrize(
    ("alias", "wanted"),
    [
        (Alias(name="old"), "urn:pulumi:dev::p::my:A$t:T::old"),
        (Alias(type="t:Old"), "urn:pulumi:dev::p::my:A$t:Old::new-one"),
        (Alias(no_parent=True), "urn:pulumi:dev::p::t:T::new-one"),
        (Alias(parent="urn:pulumi:dev::p::my:B::b"), "urn:pulumi:dev::p::my:B$t:T::new-one"),
        (Alias(stack="s", project="q"), "urn:pulumi:s::q::my:A$t:T::new-one"),
        (Alias(urn="urn:pulumi:x::y::z::w"), "urn:pulumi:x::y::z::w"),
    ],
)
def test_an_alias_names_an_earlier_urn(alias: Alias, wanted: str) -> None:
    assert earlier_urns(URN, PARENT, (), [alias]) == [wanted]


def test_a_parents_aliases_are_inherited_and_the_childs_name_follows() -> None:
    old_parent = "urn:pulumi:dev::p::my:A::old"
    assert earlier_urns(URN, PARENT, [old_parent], [Alias(name="was")]) == [
        "urn:pulumi:dev::p::my:A$t:T::was",
        "urn:pulumi:dev::p::my:A$t:T::old-one",
    ]


def test_the_current_urn_is_not_an_alias() -> None:
    assert earlier_urns(URN, PARENT, (), [Alias(name="new-one")]) == []
