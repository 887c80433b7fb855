"""Deleting scripts: refused while others are bound to them, or forced with those bindings."""

import pytest

from flowflare.emulator.process import Running
from tests.emulator.emulated import Account, durable_object, get, new_sqlite

pytestmark = pytest.mark.workerd

SERVICE = """
import { DurableObject } from "cloudflare:workers";
export class Tracker extends DurableObject {
  async put(value) { await this.ctx.storage.put("value", value); return value; }
  async get() { return (await this.ctx.storage.get("value")) ?? null; }
}
export default {
  async fetch(request, env) {
    const tracker = env.T.get(env.T.idFromName("one"));
    const value = new URL(request.url).searchParams.get("put");
    return Response.json(value ? await tracker.put(value) : await tracker.get());
  },
};
"""


def deploy(account: Account) -> str:
    account.put(
        "service",
        SERVICE,
        bindings=[durable_object("T", "Tracker")],
        migrations=new_sqlite("Tracker"),
    )
    return account.enable("service")


@pytest.mark.parametrize(
    ("binding", "kind"),
    [
        ({"type": "service", "name": "SVC", "service": "service"}, "service"),
        (durable_object("T", "Tracker", "service"), "durable object"),
    ],
)
@pytest.mark.parametrize("path", ["/workers/scripts/service", "/workers/services/service"])
def test_a_script_that_others_are_bound_to_is_not_deleted(
    account: Account, path: str, binding: dict[str, str], kind: str
) -> None:
    deploy(account)
    account.put("client", bindings=[binding])
    refused = account.expect_refusal("DELETE", path)
    assert refused.status == 400
    text = (
        f"Cannot delete service 'service' because it is still referenced by {kind} bindings in "
        "Workers 'client'. Please remove bindings pointing to it and try again."
    )
    assert refused.errors == ((10142, text),)
    account.put("client")
    account.call("DELETE", path)
    assert [each["id"] for each in account.call("GET", "/workers/scripts")] == ["client"]


def test_a_forced_deletion_removes_bindings_to_the_script(account: Account) -> None:
    deploy(account)
    text = {"type": "plain_text", "name": "V", "text": "x"}
    bindings = [
        text,
        {"type": "service", "name": "SVC", "service": "service"},
        durable_object("T", "Tracker", "service"),
    ]
    account.put("client", bindings=bindings)
    found = account.call("GET", "/workers/scripts/service/references")
    assert [each["service"] for each in found["services"]["incoming"]] == ["client"]
    assert [each["service"] for each in found["durable_objects"]] == ["client"]
    account.call("DELETE", "/workers/scripts/service", params={"force": "true"})
    assert account.call("GET", "/workers/scripts/client/settings")["bindings"] == [text]
    assert account.call("GET", "/workers/durable_objects/namespaces") == []


def test_a_script_that_is_deleted_and_uploaded_again_has_no_old_data(
    account: Account, cloud: Running
) -> None:
    import httpx

    url = deploy(account)
    assert get(url, params={"put": "x"}).json() == "x"
    assert get(url).json() == "x"
    namespace = account.call("GET", "/workers/durable_objects/namespaces")[0]["id"]
    folder = cloud.data / "runtime" / "do" / namespace
    assert folder.exists()
    account.call("DELETE", "/workers/scripts/service")
    with pytest.raises(httpx.ConnectError):
        get(url)
    assert deploy(account) == url
    assert get(url).json() is None
    assert not folder.exists()


def test_crons_are_deleted_with_their_script(account: Account) -> None:
    account.put("app")
    schedules = "/workers/scripts/app/schedules"
    account.call("PUT", schedules, json=[{"cron": "*/5 * * * *"}, {"cron": "0 0 1 * *"}])
    found = account.call("GET", schedules)["schedules"]
    assert [each["cron"] for each in found] == ["*/5 * * * *", "0 0 1 * *"]
    refused = account.expect_refusal("PUT", schedules, json=[{"cron": "now and then"}])
    assert refused.status == 400
    account.call("PUT", schedules, json=[])
    assert account.call("GET", schedules)["schedules"] == []
    account.call("PUT", schedules, json=[{"cron": "*/5 * * * *"}])
    account.call("DELETE", "/workers/scripts/app")
    account.put("app")
    assert account.call("GET", schedules)["schedules"] == []
