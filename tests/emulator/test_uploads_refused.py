"""Uploads that Cloudflare refuses before it checks bindings: body, name, code."""

import base64
import random
from typing import Any

import pytest

from tests.emulator.emulated import ESM, HELLO, Account, get, upload

pytestmark = pytest.mark.workerd


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "export default {\n  fetch( {",
            "Uncaught SyntaxError: Unexpected end of input\n  at worker.js:2",
        ),
        ("throw new Error('at start');", "Uncaught Error: at start\n  at worker.js:1"),
        ("import x from 'nowhere'; export default {}", 'Uncaught Error: No such module "nowhere".'),
        ("export default nothing;", "Uncaught ReferenceError: nothing is not defined"),
    ],
)
def test_a_script_that_does_not_start_is_refused_in_workerds_words(
    account: Account, source: str, text: str
) -> None:
    refused = account.put_expecting_refusal("app", source)
    assert refused.status == 400
    code, message = refused.errors[0]
    assert code == 10021
    assert message.startswith(text)
    assert account.call("GET", "/workers/scripts") == []


def test_a_script_that_registers_nothing_is_refused(account: Account) -> None:
    refused = account.put_expecting_refusal("app", "1 + 1;")
    assert refused.status == 400
    text = "No event handlers were registered. This script does nothing."
    assert refused.errors == ((10068, text),)


@pytest.mark.parametrize("name", ["Upper", "a.b", "-dash", "x" * 64])
def test_an_invalid_name_is_refused(account: Account, name: str) -> None:
    refused = account.put_expecting_refusal(name)
    assert (refused.status, refused.errors[0][0]) == (400, 10016)


def test_a_compatibility_date_in_the_future_is_refused(account: Account) -> None:
    refused = account.put_expecting_refusal("app", compatibility_date="2099-01-01")
    assert refused.errors == ((10021, "Can't set compatibility date in the future: 2099-01-01"),)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ("not json", 10026),
        ("[]", 10026),
        ('{"main_module": "worker.js", "bindings": "none"}', 10026),
        ('{"main_module": "other.js"}', 10021),
        ("{}", 10021),
    ],
)
def test_invalid_metadata_is_refused(account: Account, metadata: str, code: int) -> None:
    parts: list[tuple[str, Any]] = [
        ("worker.js", ("worker.js", HELLO, ESM)),
        ("metadata", (None, metadata, "application/json")),
    ]
    refused = account.expect_refusal("PUT", "/workers/scripts/app", files=parts)
    assert (refused.status, refused.errors[0][0]) == (400, code)


def test_an_upload_without_metadata_is_refused(account: Account) -> None:
    refused = account.expect_refusal("PUT", "/workers/scripts/app", files=upload(HELLO)[:1])
    assert refused.errors == ((10021, "could not read content for part metadata"),)


def test_a_body_of_javascript_is_a_service_worker(account: Account) -> None:
    body = "addEventListener('fetch', (event) => event.respondWith(new Response('old')));"
    headers = {"Content-Type": "application/javascript"}
    account.call("PUT", "/workers/scripts/app", content=body, headers=headers)
    assert get(account.enable("app")).text == "old"
    refused = account.expect_refusal(
        "PUT", "/workers/scripts/app", content="addEventListener(", headers=headers
    )
    assert refused.errors[0][0] == 10021


def test_what_is_too_large_is_refused(account: Account) -> None:
    for kind in ("plain_text", "secret_text"):
        long = [{"type": kind, "name": "LONG", "text": "x" * 5 * 1024}]
        account.put("app", bindings=long)
        long[0]["text"] += "x"
        refused = account.put_expecting_refusal("app", bindings=long)
        assert refused.errors == ((10054, "Text binding 'LONG' is too large."),)
    noise = base64.b64encode(random.Random(1).randbytes(14 * 1024 * 1024)).decode()
    refused = account.put_expecting_refusal("app", f"{HELLO}\n// {noise}")
    assert (refused.status, refused.errors[0][0]) == (400, 10027)
    account.put("app", f"{HELLO}\n// {'x' * 12 * 1024 * 1024}")


def test_a_body_that_is_not_multipart_is_refused(account: Account) -> None:
    refused = account.expect_refusal("PUT", "/workers/scripts/app", json={})
    assert (refused.status, refused.errors[0][0]) == (415, 10001)
    account.put("app")
    refused = account.expect_refusal("PATCH", "/workers/scripts/app/settings", json={})
    assert (refused.status, refused.errors[0][0]) == (415, 10001)
