"""Bindings: an upload replaces, inherits or keeps them, and each is checked."""

from typing import Any

import pytest

from tests.emulator.emulated import Account, Refused, durable_object, new_sqlite

pytestmark = pytest.mark.workerd

TEXT = {"type": "plain_text", "name": "V", "text": "x"}
SECRET = {"type": "secret_text", "name": "KEY", "text": "s3cret"}
OBJECT = """
import { DurableObject } from "cloudflare:workers";
export class Tracker extends DurableObject {}
export default {};
"""


def names(account: Account, script: str = "app") -> list[str]:
    settings = account.call("GET", f"/workers/scripts/{script}/settings")
    return [each["name"] for each in settings["bindings"]]


def single_error(code: int, text: str) -> Refused:
    return Refused(400, ((code, text),))


def test_an_upload_replaces_bindings_wholesale(account: Account) -> None:
    account.put("app", bindings=[TEXT, SECRET])
    account.put("app", bindings=[{**TEXT, "name": "W"}])
    assert names(account) == ["W"]


def test_kept_types_stay_unless_the_upload_names_them(account: Account) -> None:
    account.put("app", bindings=[TEXT, SECRET, {**SECRET, "name": "OLD"}])
    account.put("app", bindings=[{**TEXT, "name": "OLD"}], keep_bindings=["secret_text"])
    assert names(account) == ["KEY", "OLD"]


def test_inherited_bindings_keep_their_value_under_a_new_name_too(account: Account) -> None:
    account.put("app", bindings=[TEXT, SECRET])
    inherit = [
        {"type": "inherit", "name": "KEY"},
        {"type": "inherit", "name": "NEW", "old_name": "V"},
    ]
    account.put("app", bindings=inherit, query={"bindings_inherit": "strict"})
    settings = account.call("GET", "/workers/scripts/app/settings")
    assert settings["bindings"] == [
        {"name": "KEY", "type": "secret_text"},
        {"name": "NEW", "type": "plain_text", "text": "x"},
    ]


def test_all_missing_inherited_bindings_are_refused_at_once(account: Account) -> None:
    account.put("app", bindings=[TEXT])
    inherit = [{"type": "inherit", "name": name} for name in ("V", "A", "B")]
    refused = account.put_expecting_refusal(
        "app", bindings=inherit, query={"bindings_inherit": "strict"}
    )
    assert refused.status == 400
    assert refused.errors == tuple(
        (
            10057,
            f"inherit binding '{name}' is invalid: "
            f"previous version does not have binding named '{name}'",
        )
        for name in ("A", "B")
    )
    assert names(account) == ["V"]
    account.put("app", bindings=inherit)
    assert names(account) == ["V"]


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        ([TEXT, TEXT], single_error(10053, "the binding name 'V' cannot be used more than once")),
        (
            [{"type": "plain_text", "text": "x"}],
            single_error(10052, "A binding is missing its name."),
        ),
        (
            [{"type": "d1", "name": "DB", "id": "00000000-0000-4000-8000-000000000000"}],
            single_error(
                10181,
                "D1 binding 'DB' references database '00000000-0000-4000-8000-000000000000' "
                "which was not found",
            ),
        ),
        (
            [{"type": "d1", "name": "DB"}],
            single_error(10021, "binding DB of type d1 must have a valid `id` specified"),
        ),
        (
            [{"type": "service", "name": "SVC", "service": "none"}],
            single_error(10143, 'could not resolve binding "SVC": script "none" not found'),
        ),
        (
            [durable_object("T", "Tracker", "none")],
            single_error(
                10061,
                "Cannot create binding for class 'Tracker' in script 'none' that does not exist",
            ),
        ),
        (
            [durable_object("T", "Missing")],
            single_error(
                10061,
                "Cannot create binding for class 'Missing' that is not exported by the script",
            ),
        ),
        (
            [durable_object("T", "Tracker")],
            single_error(
                10061,
                "Cannot create binding for class 'Tracker' because it is not currently configured "
                "to implement Durable Objects. Ensure a --new-class migration has been applied to "
                "it.",
            ),
        ),
        (
            [
                {
                    "type": "workflow",
                    "name": "W",
                    "workflow_name": "orders",
                    "script_name": "none",
                    "class_name": "Flow",
                }
            ],
            single_error(
                10200, "Workflow binding 'W' references workflow 'orders' which was not found"
            ),
        ),
        (
            [{"type": "secret_text", "name": "KEY"}],
            single_error(
                10021, "binding KEY of type secret_text must have a valid `text` specified"
            ),
        ),
    ],
)
def test_a_binding_that_points_nowhere_is_refused(
    account: Account, bindings: list[dict[str, Any]], expected: Refused
) -> None:
    assert account.put_expecting_refusal("app", OBJECT, bindings=bindings) == expected
    assert account.call("GET", "/workers/scripts") == []


def test_a_class_of_another_script_must_be_a_durable_object_there(account: Account) -> None:
    account.put("service", OBJECT)
    binding = durable_object("T", "Tracker", "service")
    refused = account.put_expecting_refusal("client", bindings=[binding])
    assert refused.errors[0][0] == 10061
    assert "is not currently configured to implement Durable Objects" in refused.errors[0][1]
    account.put("service", OBJECT, migrations=new_sqlite("Tracker"))
    account.put("client", bindings=[binding])
    shown = account.call("GET", "/workers/scripts/client/settings")["bindings"][0]
    namespace = account.call("GET", "/workers/durable_objects/namespaces")[0]
    assert shown == {**binding, "namespace_id": namespace["id"]}


def test_bindings_of_other_accounts_are_not_there(account: Account) -> None:
    other = Account(account.running)
    database = other.database()
    other.put("service")
    binding = {"type": "d1", "name": "DB", "id": database}
    assert account.put_expecting_refusal("app", bindings=[binding]).errors[0][0] == 10181
    binding = {"type": "service", "name": "SVC", "service": "service"}
    assert account.put_expecting_refusal("app", bindings=[binding]).errors[0][0] == 10143
    other.close()


def test_settings_may_be_changed_without_an_upload(account: Account) -> None:
    account.put("app", bindings=[TEXT, SECRET])
    settings = '{"bindings": [{"type": "inherit", "name": "KEY"}], "logpush": true}'
    parts = {"settings": (None, settings, "application/json")}
    changed = account.call("PATCH", "/workers/scripts/app/settings", files=parts)
    assert changed["logpush"] is True
    assert names(account) == ["KEY"]
