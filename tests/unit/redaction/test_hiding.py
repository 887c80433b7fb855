"""What the filter hides of a secret: every form that a program may show it in, and nothing else."""

import base64
import html
import json
import re
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from flowflare.errors import ConfigError, FlowflareError, Problem
from flowflare.redaction.known import KnownSecrets, current, hide, hides_secrets, hiding, learn

SECRET = 'pa55/w+rd "quoted" <ü>&\'\\n'
KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0B\nAQEFAASC\nab=\n"
    "-----END PRIVATE KEY-----\n"
)


def knowing(*values: object) -> KnownSecrets:
    secrets = KnownSecrets()
    for value in values:
        secrets.learn(value)
    return secrets


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": repr,
    "ascii": ascii,
    "JSON": json.dumps,
    "JSON that is not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "JSON of Go": lambda text: (
        json.dumps(text, ensure_ascii=False)
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    ),
    "URL": lambda text: f"https://host/?key={quote(text, safe='')}&more",
    "path of a URL": quote,
    "form": quote_plus,
    "URL in lower case": lambda text: re.sub(
        "%..", lambda match: match[0].lower(), quote(text, safe="")
    ),
    "HTML": html.escape,
    "hexadecimal": lambda text: text.encode().hex(),
    "HEXADECIMAL": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "basic authentication": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "base64 after two bytes": lambda text: base64.b64encode(f"ab{text}cd".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_secret_is_hidden_in_every_form(form: str) -> None:
    shown = FORMS[form](SECRET)
    hidden = knowing(SECRET).hide(f"before {shown} after")
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")
    assert "[secret]" in hidden
    # Of base64 that holds more than the secret, a letter at each end belongs to both.
    assert len(hidden) < len("before [secret] after") + 40
    assert SECRET[:8] not in hidden


def test_what_is_not_secret_stays() -> None:
    text = "D1 database acme-prod-flowflare-db: HTTP 400: name is taken [code: 7502]"
    assert knowing(SECRET, KEY, "42", "x", "", True, None).hide(text) == text


def test_a_short_secret_is_hidden_as_a_word_of_its_own() -> None:
    secrets = knowing("prod", 1234)
    assert secrets.hide("stage prod, pin=1234.") == "stage [secret], pin=[secret]."
    assert secrets.hide("products and 12345") == "products and 12345"
    assert knowing("12", "no").hide("12 says no") == "12 says no"
    assert knowing("true", "null").hide("true or null") == "true or null"


def test_secrets_that_overlap_leave_nothing_of_either() -> None:
    secrets = knowing("abcdefgh", "efghijkl", "abcdefghijklmnop")
    assert secrets.hide("-abcdefghijkl-") == "-[secret]-"
    assert secrets.hide("-abcdefghijklmnop-") == "-[secret]-"
    assert knowing("secret99", "secret").hide("[secret] secret99") == "[[secret]] [secret]"


def test_each_line_of_a_secret_is_hidden_and_its_first_and_last_say_nothing() -> None:
    secrets = knowing(KEY)
    logged = "\n".join(f"10:0{index} {line}" for index, line in enumerate(KEY.splitlines()))
    hidden = secrets.hide(logged)
    assert "MIIE" not in hidden
    assert "AQEF" not in hidden
    assert "-----BEGIN PRIVATE KEY-----" in hidden
    assert secrets.hide("  ab=\n") == "[secret]\n"
    assert secrets.hide(KEY) == "[secret]"
    assert secrets.hide(KEY.replace("\n", "\r\n")) == "[secret]"
    assert secrets.hide(repr(KEY)) == "'[secret]'"


def test_of_a_secret_list_or_mapping_each_long_text_is_one() -> None:
    bindings = [
        {"type": "secret_text", "name": "PAYMENT_KEY", "text": "hunter2-hunter2"},
        {"type": "d1", "name": "DB_OF_ORDERS", "id": "0123456789abcdef"},
    ]
    secrets = knowing({"user": "admin", "password": "correct horse"}, bindings)
    text = "admin: correct horse; PAYMENT_KEY: hunter2-hunter2; DB_OF_ORDERS 0123456789abcdef"
    hidden = "admin: [secret]; PAYMENT_KEY: [secret]; DB_OF_ORDERS 0123456789abcdef"
    assert secrets.hide(text) == hidden


def test_values_of_a_plan_are_hidden_and_others_are_the_same_objects() -> None:
    secrets = knowing("hunter2-hunter2")
    values = {"url": "https://x/?k=hunter2-hunter2", "list": ["a", 1]}
    assert secrets.hide_values(values) == {"url": "https://x/?k=[secret]", "list": ["a", 1]}
    other = {"url": "https://x/"}
    assert secrets.hide_values(other) is other


def test_a_filter_holds_while_something_is_under_way_and_is_shared_by_threads() -> None:
    assert hide("canary-one") == "canary-one"
    with hiding({"CLOUDFLARE_API_TOKEN": "canary-token"}):
        with hiding({}):
            thread = threading.Thread(target=learn, args=("canary-one",))
            thread.start()
            thread.join()
        assert hide("canary-one canary-token") == "[secret] [secret]"
    assert current() is None
    with hiding({}):
        assert hide("canary-one") == "canary-one"


def test_errors_of_ours_leave_without_secrets() -> None:
    class Stack:
        def __init__(self) -> None:
            self._environ = {"PULUMI_CONFIG_PASSPHRASE": "correct horse"}

        @hides_secrets
        def up(self, error: FlowflareError) -> None:
            raise error

    with pytest.raises(FlowflareError) as plain:
        Stack().up(FlowflareError("it is correct horse", remedy="Not correct horse."))
    assert str(plain.value) == "it is [secret]\n  Not [secret]."
    with pytest.raises(ConfigError) as listed:
        Stack().up(ConfigError([Problem("a:1", "is 'correct horse'", "Not correct horse.")]))
    assert "correct horse" not in f"{listed.value} {listed.value.problems} {listed.value.args}"


def test_what_is_learned_later_is_found_once_for_a_text() -> None:
    secrets, calls = KnownSecrets(), []

    def find() -> None:
        calls.append(1)
        secrets.learn("canary-later")
        assert secrets.hide("x") == "x"

    secrets.learn_later(find)
    secrets.learn_later(find)
    assert calls == []
    assert secrets.hide("canary-later") == "[secret]"
    assert calls == [1]
