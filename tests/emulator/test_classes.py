"""Class migrations of Durable Objects: their effects and all their errors."""

from typing import Any

import pytest

from tests.emulator.emulated import Account, Refused, durable_object, new_sqlite

pytestmark = pytest.mark.workerd


def classes(*names: str) -> str:
    lines = [f"export class {name} extends DurableObject {{}}" for name in names]
    return "\n".join(
        ['import { DurableObject } from "cloudflare:workers";', *lines, "export default {};"]
    )


def ledger(account: Account) -> dict[str, str]:
    found = account.call("GET", "/workers/durable_objects/namespaces")
    return {f"{each['script']}.{each['class']}": each["id"] for each in found}


def test_a_resent_migration_is_refused_with_412(account: Account) -> None:
    account.put("app", classes("A"), migrations=new_sqlite("A"))
    refused = account.put_expecting_refusal("app", classes("A"), migrations=new_sqlite("A"))
    text = (
        "Actor migration tag precondition failed, got tag '' when expected tag is 'v1'. "
        "Please make sure the tags match and try again."
    )
    assert refused == Refused(412, ((10079, text),))


def test_a_migration_starts_at_the_live_tag(account: Account) -> None:
    ahead = account.put_expecting_refusal(
        "app", classes("A"), migrations=new_sqlite("A", tag="v2", old_tag="v1")
    )
    assert (ahead.status, ahead.errors[0][0]) == (412, 10079)
    account.put("app", classes("A"), migrations=new_sqlite("A"))
    account.put("app", classes("A", "B"), migrations=new_sqlite("B", tag="v2", old_tag="v1"))
    assert set(ledger(account)) == {"app.A", "app.B"}
    account.put("app", classes("A", "B"))
    assert account.call("GET", "/workers/scripts")[0]["migration_tag"] == "v2"


def test_a_whole_history_may_be_applied_at_once(account: Account) -> None:
    steps = [
        {"new_sqlite_classes": ["A", "Deletions"]},
        {"renamed_classes": [{"from": "A", "to": "B"}]},
        {"deleted_classes": ["Deletions"]},
    ]
    account.put("app", classes("B"), migrations={"new_tag": "v3", "steps": steps})
    assert set(ledger(account)) == {"app.B"}


def test_a_new_class_must_be_exported(account: Account) -> None:
    refused = account.put_expecting_refusal("app", classes("A"), migrations=new_sqlite("B"))
    text = "Cannot apply new-class migration to class 'B' that is not exported by script"
    assert refused == Refused(400, ((10070, text),))
    assert ledger(account) == {}


def test_a_class_is_created_once(account: Account) -> None:
    account.put("app", classes("A"), migrations=new_sqlite("A"))
    again = new_sqlite("A", tag="v2", old_tag="v1")
    refused = account.put_expecting_refusal("app", classes("A"), migrations=again)
    assert refused.status == 400
    code, text = refused.errors[0]
    assert code == 10074
    assert text.endswith("class 'A' that is already depended on by existing Durable Objects")


def test_a_class_is_named_once_in_a_step(account: Account) -> None:
    step: dict[str, Any] = {"new_tag": "v1", "new_classes": ["A"], "new_sqlite_classes": ["A"]}
    refused = account.put_expecting_refusal("app", classes("A"), migrations=step)
    text = "Class 'A' cannot be the target of more than one migration"
    assert refused == Refused(400, ((10074, text),))


def test_a_version_without_a_used_class_is_refused(account: Account) -> None:
    account.put("app", classes("A"), migrations=new_sqlite("A"))
    refused = account.put_expecting_refusal("app", classes("B"))
    assert refused.status == 403
    code, text = refused.errors[0]
    assert code == 10064
    assert text.startswith(
        "New version of script does not export class 'A' which is depended on by existing "
        "Durable Objects"
    )


def test_a_class_that_is_bound_is_not_deleted(account: Account) -> None:
    account.put("app", classes("A"), migrations=new_sqlite("A"))
    delete = {"old_tag": "v1", "new_tag": "v2", "deleted_classes": ["A"]}
    own = account.put_expecting_refusal(
        "app", classes("A"), migrations=delete, bindings=[durable_object("T", "A")]
    )
    text = (
        "Cannot apply --delete-class migration to class 'A' without also removing the binding "
        "that references it."
    )
    assert own == Refused(400, ((10061, text),))
    account.put("client", bindings=[durable_object("T", "A", "app")])
    assert account.put_expecting_refusal("app", classes("A"), migrations=delete) == own
    account.put("client")
    account.put("app", "export default {};", migrations=delete)
    assert ledger(account) == {}


def test_a_class_is_deleted_in_an_upload_after_the_one_that_unbinds_it(account: Account) -> None:
    bound = [durable_object("T", "A")]
    account.put("app", classes("A"), migrations=new_sqlite("A"), bindings=bound)
    delete = {"old_tag": "v1", "new_tag": "v2", "deleted_classes": ["A"]}
    refused = account.put_expecting_refusal("app", "export default {};", migrations=delete)
    assert refused.errors[0][0] == 10061
    account.put("app", classes("A"))
    account.put("app", "export default {};", migrations=delete)
    assert ledger(account) == {}


def test_a_deleted_class_is_not_bound_by_its_name_even_in_another_script(account: Account) -> None:
    account.put("app", classes("A"), migrations=new_sqlite("A"))
    account.put("other", classes("A"), migrations=new_sqlite("A"))
    delete = {"old_tag": "v1", "new_tag": "v2", "deleted_classes": ["A"]}
    bound = [durable_object("T", "A", "other")]
    refused = account.put_expecting_refusal(
        "app", "export default {};", migrations=delete, bindings=bound
    )
    assert refused.errors[0][0] == 10061


def test_other_scripts_bindings_follow_a_class(account: Account) -> None:
    account.put(
        "old", classes("A"), migrations=new_sqlite("A"), bindings=[durable_object("O", "A")]
    )
    account.put("client", bindings=[durable_object("T", "A", "old")])
    transfer = {
        "new_tag": "v1",
        "transferred_classes": [{"from": "A", "from_script": "old", "to": "B"}],
    }
    account.put("new", classes("B"), migrations=transfer)
    for script, name in (("old", "O"), ("client", "T")):
        [bound] = account.call("GET", f"/workers/scripts/{script}/settings")["bindings"]
        assert (bound["name"], bound["class_name"], bound["script_name"]) == (name, "B", "new")
        assert bound["namespace_id"] == ledger(account)["new.B"]


@pytest.mark.parametrize(
    ("directive", "kind"),
    [
        ({"deleted_classes": ["Missing"]}, "delete-class"),
        ({"renamed_classes": [{"from": "Missing", "to": "A"}]}, "rename-class"),
    ],
)
def test_a_class_that_never_existed_is_neither_deleted_nor_renamed(
    account: Account, directive: dict[str, Any], kind: str
) -> None:
    refused = account.put_expecting_refusal(
        "app", classes("A"), migrations={"new_tag": "v1", **directive}
    )
    assert refused.status == 400
    code, text = refused.errors[0]
    assert code == 10074
    assert text.startswith(f"Cannot apply {kind} migration to class 'Missing'")


def test_a_renamed_or_transferred_class_keeps_its_objects(account: Account) -> None:
    account.put("old", classes("A"), migrations=new_sqlite("A"))
    identity = ledger(account)["old.A"]
    rename = {
        "old_tag": "v1",
        "new_tag": "v2",
        "renamed_classes": [{"from": "A", "to": "B"}],
    }
    account.put("old", classes("B"), migrations=rename)
    assert ledger(account) == {"old.B": identity}
    transfer = {
        "new_tag": "v1",
        "transferred_classes": [{"from": "B", "from_script": "old", "to": "C"}],
    }
    account.put("new", classes("C"), migrations=transfer)
    assert ledger(account) == {"new.C": identity}


@pytest.mark.parametrize(
    ("rule", "code", "text"),
    [
        (
            "free",
            10097,
            "In order to use Durable Objects with a free plan, you must create a namespace using "
            "a `new_sqlite_classes` migration.",
        ),
        (
            "closed",
            10099,
            "Creating new key-value backed Durable Object namespaces is no longer supported on "
            "this account",
        ),
    ],
)
def test_key_value_classes_depend_on_the_account(
    account: Account, rule: str, code: int, text: str
) -> None:
    account.control("PUT", f"/accounts/{account.id}", json={"key_value_classes": rule})
    migration = {"new_tag": "v1", "new_classes": ["A"]}
    refused = account.put_expecting_refusal("app", classes("A"), migrations=migration)
    assert refused.status == 400
    assert refused.errors[0][0] == code
    assert refused.errors[0][1].startswith(text)
    account.put("app", classes("A"), migrations=new_sqlite("A"))


def test_a_refused_upload_changes_nothing(account: Account) -> None:
    account.put("app", classes("A"), migrations=new_sqlite("A"))
    before = account.call("GET", "/workers/scripts/app/settings"), ledger(account)
    both = {
        "old_tag": "v1",
        "new_tag": "v2",
        "steps": [{"new_sqlite_classes": ["B"]}, {"deleted_classes": ["Missing"]}],
    }
    account.put_expecting_refusal("app", classes("A", "B"), migrations=both)
    assert (account.call("GET", "/workers/scripts/app/settings"), ledger(account)) == before
