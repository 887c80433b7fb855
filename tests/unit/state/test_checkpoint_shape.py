"""A state with an invalid shape is refused before it is used."""

from typing import Any

import pytest

from flowflare.state.checkpoint_shape import check_deployment

URN = "urn:pulumi:dev::shop::cloudflare:index/d1Database:D1Database::db"


def deployment(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"manifest": {}, "resources": [{"type": "a:b:C", **each} for each in resources]}


@pytest.mark.parametrize("urn", ["", "nonsense", "urn:pulumi:dev::shop", "v1:canary:ciphertext"])
def test_a_word_that_is_not_a_urn_is_refused_and_not_quoted(urn: str) -> None:
    with pytest.raises(ValueError, match=r"^`urn` of `resources\[1\]` is not a URN$"):
        check_deployment(deployment({"urn": URN}, {"urn": urn}))
    pending = {"type": "creating", "resource": {"urn": urn, "type": "a:b:C"}}
    with pytest.raises(ValueError, match=r"^`urn` of `resource` of `pending_operations\[0\]`"):
        check_deployment({"manifest": {}, "pending_operations": [pending]})


def test_two_live_resources_of_one_urn_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`resources\[1\]` has the URN of `resources\[0\]`"):
        check_deployment(deployment({"urn": URN}, {"urn": URN}))


def test_a_resource_that_waits_to_be_deleted_keeps_its_urn() -> None:
    check_deployment(deployment({"urn": URN}, {"urn": URN, "delete": True}))
    check_deployment(deployment({"urn": URN, "delete": True}, {"urn": URN, "delete": True}))
