"""Scripts: uploads in every client's encoding, and what the API returns about them."""

import json
import re
from typing import Any

import pytest

from flowflare.emulator.process import Running
from tests.emulator.emulated import ESM, HELLO, Account, get, upload

pytestmark = pytest.mark.workerd

SECRET = "s3cret-canary"
CLASSES = """
import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";
export class Tracker extends DurableObject { count() {} }
export class Flow extends WorkflowEntrypoint { async run() {} }
export function plain() {}
export default { fetch() { return new Response("") }, scheduled() {} };
"""


def test_wranglers_encoding_is_accepted(account: Account) -> None:
    metadata = {"main_module": "index.js", "compatibility_date": "2026-11-01", "bindings": []}
    parts: list[tuple[str, Any]] = [
        ("metadata", (None, json.dumps(metadata))),
        ("index.js", ("index.js", 'import x from "./x.txt"; export default { x }', ESM)),
        ("./x.txt", ("./x.txt", "text", "text/plain")),
        ("index.js.map", ("index.js.map", "{}", "application/source-map")),
    ]
    query = {"excludeScript": "true", "bindings_inherit": "strict"}
    result = account.call("PUT", "/workers/scripts/app", files=parts, params=query)
    assert result["id"] == "app"
    assert re.fullmatch(r"[0-9a-f]{32}", result["deployment_id"])


def test_the_official_sdks_encoding_is_accepted(account: Account, cloud: Running) -> None:
    from cloudflare import Cloudflare

    with Cloudflare(base_url=cloud.base_url, api_token=cloud.token, max_retries=0) as sdk:
        made = sdk.workers.scripts.update(
            "app",
            account_id=account.id,
            metadata={"main_module": "worker.js", "compatibility_date": "2026-11-01"},
            files=[("worker.js", HELLO.encode(), ESM)],
        )
        assert made.startup_time_ms is not None
        assert [each.id for each in sdk.workers.scripts.list(account_id=account.id)] == ["app"]
        sdk.workers.scripts.delete("app", account_id=account.id)
        assert list(sdk.workers.scripts.list(account_id=account.id)) == []


def test_an_upload_returns_what_workerd_found_in_it(account: Account) -> None:
    result = account.put("app", CLASSES)
    assert result["handlers"] == ["fetch", "scheduled"]
    assert result["named_handlers"] == [
        {"name": "Flow", "handlers": ["run"]},
        {"name": "Tracker", "handlers": ["count"]},
        {"name": "plain", "handlers": []},
    ]
    assert result["has_modules"] is True
    assert result["startup_time_ms"] >= 1


def test_a_script_in_the_old_syntax_is_accepted(account: Account) -> None:
    metadata = {"body_part": "script", "bindings": []}
    source = "addEventListener('fetch', (event) => event.respondWith(new Response('old')))"
    parts: list[tuple[str, Any]] = [
        ("script", ("script", source, "application/javascript")),
        ("metadata", (None, json.dumps(metadata), "application/json")),
    ]
    result = account.call("PUT", "/workers/scripts/old", files=parts)
    assert result["has_modules"] is False
    assert get(account.enable("old")).text == "old"


def test_content_is_returned_unchanged(account: Account) -> None:
    account.put("app", HELLO)
    response = account.http.get("/workers/scripts/app/content/v2")
    assert response.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert 'name="worker.js"' in response.text
    assert ESM in response.text
    assert HELLO in response.text


def test_a_second_upload_keeps_tag_and_creation_and_changes_the_rest(account: Account) -> None:
    first = account.put("app", HELLO)
    second = account.put("app", HELLO + "// changed")
    assert second["tag"] == first["tag"]
    assert second["created_on"] == first["created_on"]
    assert second["etag"] != first["etag"]
    assert second["deployment_id"] != first["deployment_id"]
    assert account.put("app", HELLO)["etag"] == first["etag"]


def test_settings_and_service_show_defaults_and_the_migration_tag(account: Account) -> None:
    account.put("app", CLASSES, migrations={"new_tag": "v1", "new_sqlite_classes": ["Tracker"]})
    settings = account.call("GET", "/workers/scripts/app/settings")
    assert settings["compatibility_date"] == "2026-11-01"
    assert settings["usage_model"] == "standard"
    assert settings["logpush"] is False
    service = account.call("GET", "/workers/services/app")
    assert service["default_environment"]["script"]["migration_tag"] == "v1"
    assert account.call("GET", "/workers/scripts")[0]["migration_tag"] == "v1"
    namespace = account.call("GET", "/workers/durable_objects/namespaces")[0]
    assert (namespace["class"], namespace["script"]) == ("Tracker", "app")
    assert namespace["use_sqlite"] is True


def test_settings_show_whatever_setting_an_upload_has(account: Account) -> None:
    """A setting that is new to the API would otherwise read as drift."""
    account.put("app", HELLO, a_new_setting={"mode": "on"}, limits={"cpu_ms": 50})
    settings = account.call("GET", "/workers/scripts/app/settings")
    assert settings["a_new_setting"] == {"mode": "on"}
    assert settings["limits"] == {"cpu_ms": 50}
    assert "assets" not in settings


def test_no_answer_and_no_log_shows_a_secret(account: Account) -> None:
    secret = {"type": "secret_text", "name": "KEY", "text": SECRET}
    source = "export default { fetch: (r, env) => new Response(env.KEY + env.OTHER) }"
    answers = [json.dumps(account.put("app", source, bindings=[secret]))]
    body = {"name": "OTHER", "text": SECRET, "type": "secret_text"}
    answers.append(json.dumps(account.call("PUT", "/workers/scripts/app/secrets", json=body)))
    paths = (
        "/workers/scripts/app",
        "/workers/scripts/app/content/v2",
        "/workers/scripts/app/settings",
        "/workers/scripts/app/secrets",
        "/workers/scripts/app/secrets/KEY",
        "/workers/scripts/app/versions",
        "/workers/scripts/app/deployments",
        "/workers/services/app",
        "/workers/scripts",
    )
    answers += [account.http.get(path).text for path in paths]
    answers += [json.dumps(account.log()), json.dumps(account.control("GET", "/workers"))]
    assert not [each for each in answers if SECRET in each]
    assert account.running.token not in json.dumps(account.log())
    bindings = account.call("GET", "/workers/scripts/app/settings")["bindings"]
    assert bindings == [
        {"name": "KEY", "type": "secret_text"},
        {"name": "OTHER", "type": "secret_text"},
    ]
    assert get(account.enable("app")).text == SECRET * 2


def test_secrets_are_listed_and_deleted(account: Account) -> None:
    account.put("app", bindings=[{"type": "plain_text", "name": "V", "text": "x"}])
    path = "/workers/scripts/app/secrets"
    account.call("PUT", path, json={"name": "A", "text": "1", "type": "secret_text"})
    assert account.call("GET", path) == [{"name": "A", "type": "secret_text"}]
    account.call("DELETE", f"{path}/A")
    assert account.call("GET", path) == []
    gone = account.expect_refusal("DELETE", f"{path}/A")
    assert (gone.status, gone.errors[0][0]) == (404, 10056)
    taken = account.expect_refusal("PUT", path, json={"name": "V", "text": "1"})
    assert taken.errors[0][0] == 10053


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/workers/scripts/none/settings"),
        ("GET", "/workers/scripts/none/content/v2"),
        ("GET", "/workers/scripts/none/references"),
        ("GET", "/workers/scripts/none/schedules"),
        ("GET", "/workers/scripts/none/subdomain"),
        ("GET", "/workers/scripts/none/secrets"),
        ("GET", "/workers/scripts/none/deployments"),
        ("DELETE", "/workers/scripts/none"),
        ("DELETE", "/workers/services/none"),
    ],
)
def test_an_unknown_script_is_not_found(account: Account, method: str, path: str) -> None:
    refused = account.expect_refusal(method, path)
    assert refused.status == 404
    assert refused.errors == ((10007, "This Worker does not exist on your account."),)


def test_an_unknown_service_is_not_found(account: Account) -> None:
    refused = account.expect_refusal("GET", "/workers/services/none")
    assert (refused.status, refused.errors[0][0]) == (404, 10090)


def test_a_version_waits_until_it_is_deployed(account: Account) -> None:
    account.put("app", "export default { fetch: () => new Response('one') }")
    url = account.enable("app")
    files = upload("export default { fetch: () => new Response('two') }")
    version = account.call("POST", "/workers/scripts/app/versions", files=files)
    assert get(url).text == "one"
    deployment = {"versions": [{"version_id": version["id"], "percentage": 100}]}
    account.call("POST", "/workers/scripts/app/deployments", json=deployment)
    assert get(url).text == "two"
    live = account.call("GET", "/workers/scripts/app/deployments")["deployments"][0]
    assert live["versions"] == [{"version_id": version["id"], "percentage": 100}]
    assert len(account.call("GET", "/workers/scripts/app/versions")["items"]) == 2
    migrations = {"new_tag": "v1", "new_sqlite_classes": ["A"]}
    refused = account.expect_refusal(
        "POST", "/workers/scripts/app/versions", files=upload(HELLO, migrations=migrations)
    )
    assert (refused.status, refused.errors[0][0]) == (400, 10211)
