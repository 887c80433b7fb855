"""The filter replaces every form of a secret that a program may show, and nothing else."""

import base64
import html
import json
import re
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowflare.errors import ConfigError, FlowflareError, Problem
from flowflare.redaction.passage import Passage
from flowflare.redaction.redactor import Redactor
from flowflare.redaction.run import get_current, learn, open_redactor, redact, redact_method

SECRET = 'pa55/w+rd "quoted" <ü>&\'\\n'
KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0B\nAQEFAASC\nab=\n"
    "-----END PRIVATE KEY-----\n"
)


def knowing(*secrets: object) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    return redactor


def escaped_by_go(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)
    for letter in "<>&":
        escaped = escaped.replace(letter, f"\\u{ord(letter):04x}")
    return escaped


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": repr,
    "ascii": ascii,
    "JSON": json.dumps,
    "JSON that is not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON inside JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "JSON of Go": escaped_by_go,
    "query of a URL": lambda text: f"https://host/?key={quote(text, safe='')}&more",
    "path of a URL": quote,
    "encodeURIComponent": lambda text: quote(text, safe="!'()*~"),
    "form": quote_plus,
    "lower-case URL": lambda text: re.sub("%..", lambda match: match[0].lower(), quote(text)),
    "HTML": html.escape,
    "HTML outside of attributes": lambda text: html.escape(text, quote=False),
    "repr of bytes": lambda text: repr(text.encode()),
    "upper-case escapes": lambda text: re.sub(
        r"u([0-9a-f]{4})", lambda match: "u" + match[1].upper(), json.dumps(text)
    ),
    "hexadecimal": lambda text: text.encode().hex(),
    "upper-case hexadecimal": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "basic authentication": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "base64 after two bytes": lambda text: base64.b64encode(f"ab{text}cd".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_secret_is_replaced_in_every_form(form: str) -> None:
    shown = knowing(SECRET).redact(f"before {FORMS[form](SECRET)} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "[secret]" in shown
    # In base64 of a longer text, the letters at both ends depend on the secret and its neighbours.
    assert len(shown) < len("before [secret] after") + 40
    assert SECRET[:8] not in shown


def test_base64_in_lines_is_replaced() -> None:
    secret = "".join(f"{number:04}-" for number in range(40))
    shown = knowing(secret).redact(base64.encodebytes(secret.encode()).decode())
    assert shown == "[secret]\n" * shown.count("\n")


def test_other_text_is_unchanged() -> None:
    text = "D1 database acme-prod-flowflare-db: HTTP 400: name is taken [code: 7502] true 12"
    assert knowing(SECRET, KEY, "42", "x", "", "true", True, None).redact(text) == text


def test_a_short_secret_is_replaced_as_a_separate_word() -> None:
    redactor = knowing("prod", 1234.0)
    assert redactor.redact("stage prod, pin=1234.") == "stage [secret], pin=[secret]."
    assert redactor.redact("products and 12345") == "products and 12345"


@pytest.mark.parametrize("secret", ["1", "no", "true", "False", "null", "None", "  x  "])
def test_a_secret_that_is_in_every_text_is_not_replaced(secret: str) -> None:
    assert knowing(secret).redact(f"it is {secret} here") == f"it is {secret} here"


def test_overlapping_secrets_are_replaced_completely() -> None:
    redactor = knowing("abcdefgh", "efghijkl", "abcdefghijklmnop")
    assert redactor.redact("-abcdefghijkl-") == "-[secret]-"
    assert redactor.redact("-abcdefghijklmnop-") == "-[secret]-"
    assert redactor.redact("-abcdefghabcdefgh-") == "-[secret][secret]-"


def test_each_long_line_of_a_secret_is_replaced() -> None:
    redactor = knowing(KEY)
    logged = "\n".join(f"10:0{index} {line}" for index, line in enumerate(KEY.splitlines()))
    shown = redactor.redact(logged)
    assert "MIIE" not in shown
    assert "AQEF" not in shown
    assert "-----BEGIN PRIVATE KEY-----" in shown
    assert redactor.redact(KEY) == "[secret]\n"
    assert redactor.redact(KEY.replace("\n", "\r\n")) == "[secret]\r\n"
    assert redactor.redact(repr(KEY)) == "'[secret]\\n'"


@pytest.mark.parametrize("as_written", [lambda value: value, json.dumps])
def test_each_long_text_in_a_list_or_a_mapping_is_a_secret(
    as_written: Callable[[object], object],
) -> None:
    bindings = [
        {"type": "secret_text", "name": "PAYMENT_KEY", "text": "hunter2-hunter2"},
        {"type": "d1", "name": "DB_OF_ORDERS", "id": "0123456789abcdef"},
    ]
    account = {"user": "admin", "password": "correct horse"}
    redactor = knowing(as_written(account), as_written(bindings))
    text = "admin: correct horse; PAYMENT_KEY: hunter2-hunter2; DB_OF_ORDERS 0123456789abcdef"
    shown = "admin: [secret]; PAYMENT_KEY: [secret]; DB_OF_ORDERS 0123456789abcdef"
    assert redactor.redact(text) == shown


def test_every_long_text_of_a_mapping_that_is_not_a_binding_is_a_secret() -> None:
    database = {"type": "postgres", "name": "prod-orders", "password": "correct horse"}
    service = {"type": "service", "name": "orders", "password": "battery staple"}
    redactor = knowing(database, service)
    assert redactor.redact("correct horse, battery staple") == "[secret], [secret]"


@pytest.mark.parametrize("secret", ["both ' and \" quotes", "  in spaces  ", "line one\nline 2\n"])
@pytest.mark.parametrize(
    "as_value", [str, "a {} b".format, json.dumps], ids=["alone", "inside", "JSON"]
)
def test_a_secret_is_replaced_in_values_in_every_form(
    secret: str, as_value: Callable[[str], str]
) -> None:
    redactor = knowing(secret)
    shown = redactor.redact_values({"list": [as_value(secret)], as_value(secret.strip()): 1})
    assert secret.strip() not in str(shown)
    assert json.dumps(secret.strip())[1:-1] not in str(shown)
    assert str(shown).count("[secret]") >= 2


def test_long_values_are_searched_for_secrets_in_plain_form() -> None:
    code = "x = 1;\n" * 20_000
    redactor = knowing(" hunter2-hunter2 ")
    assert redactor.redact_values([code + "hunter2-hunter2"]) == [code + "[secret]"]
    assert redactor.redact_values(code) is code


def test_values_without_a_secret_are_returned_as_the_same_object() -> None:
    redactor = knowing("hunter2-hunter2", "prod")
    values = {"url": "https://x/?k=hunter2-hunter2", "list": ["prod", 1]}
    assert redactor.redact_values(values) == {"url": "https://x/?k=[secret]", "list": ["prod", 1]}
    other = {"url": "https://x/"}
    assert redactor.redact_values(other) is other


# ----------------------------------------------------------------------------------------------

# Few letters, so that secrets overlap, begin inside each other and appear by chance.
LETTERS = st.text("ab\n", min_size=0, max_size=12)


def written_in_pieces(redactor: Redactor, text: str, cuts: list[int]) -> str:
    shown: list[str] = []
    passage = Passage(redactor, shown.append)
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        passage.write(text[start:end])
    passage.write("", is_last=True)
    return "".join(shown)


@settings(max_examples=200)
@given(
    secrets=st.lists(st.text("abc\n", min_size=3, max_size=9), min_size=1, max_size=4),
    around=st.lists(LETTERS, min_size=2, max_size=5),
    data=st.data(),
)
def test_no_split_of_writes_leaks_a_secret(
    secrets: list[str], around: list[str], data: st.DataObject
) -> None:
    redactor = knowing(*secrets)
    text = "".join(part + data.draw(st.sampled_from([*secrets, ""])) for part in around)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    whole = redactor.redact(text)
    pieces = written_in_pieces(redactor, text, cuts)
    long = [secret.strip() for secret in secrets if len(secret.strip()) >= 6]
    assert not [secret for secret in long if secret in pieces.replace("[secret]", "\0")]
    assert pieces == whole


@settings(max_examples=100)
@given(
    secret=st.text(min_size=6, max_size=30).filter(lambda text: len(text.strip()) >= 6),
    form=st.sampled_from(sorted(FORMS)),
    data=st.data(),
)
def test_no_split_of_writes_leaks_an_encoded_secret(
    secret: str, form: str, data: st.DataObject
) -> None:
    redactor = knowing(secret)
    text = f"{{ {FORMS[form](secret.strip())} }}"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    assert written_in_pieces(redactor, text, cuts) == redactor.redact(text)
    assert "[secret]" in redactor.redact(text)


def test_text_in_which_no_secret_begins_is_passed_on_immediately() -> None:
    shown: list[str] = []
    passage = Passage(knowing("hunter2"), shown.append)
    passage.write("Continue? [y/N] ")
    assert shown == ["Continue? [y/N] "]
    passage.write("h")
    passage.write("unt")
    assert shown[1:] == []
    passage.write("ing\n")
    assert shown[1:] == ["hunting\n"]


# ----------------------------------------------------------------------------------------------


def test_a_filter_lasts_as_long_as_a_run_and_threads_share_it() -> None:
    learn("canary-before")
    with open_redactor({"CLOUDFLARE_API_TOKEN": "canary-token"}):
        with open_redactor({}):
            thread = threading.Thread(target=learn, args=("canary-one",))
            thread.start()
            thread.join()
        text = "canary-before canary-one canary-token"
        assert redact(text) == "canary-before [secret] [secret]"
    assert get_current() is None
    with open_redactor({}):
        assert redact("canary-one") == "canary-one"


def test_errors_leave_a_run_without_secrets() -> None:
    class Stack:
        def __init__(self) -> None:
            self._environ = {"PULUMI_CONFIG_PASSPHRASE": "correct horse"}

        @redact_method
        def up(self, error: FlowflareError) -> None:
            raise error

    with pytest.raises(FlowflareError) as plain:
        Stack().up(FlowflareError("it is correct horse", remedy="Not correct horse."))
    assert str(plain.value) == "it is [secret]\n  Not [secret]."
    with pytest.raises(ConfigError) as listed:
        Stack().up(ConfigError([Problem("a:1", "is 'correct horse'", "Not correct horse.")]))
    assert "correct horse" not in f"{listed.value} {listed.value.problems} {listed.value.args}"


def test_another_process_is_asked_for_secrets_before_a_text_is_filtered() -> None:
    redactor, calls = Redactor(), []

    def find_more() -> None:
        calls.append(1)
        redactor.learn("canary-later")
        assert redactor.redact("x") == "x"

    redactor.learn_later(find_more)
    assert calls == []
    assert redactor.redact("canary-later") == "[secret]"
    assert calls == [1]


def test_another_process_is_asked_for_secrets_before_values_are_filtered() -> None:
    redactor = Redactor()
    redactor.learn_later(lambda: redactor.learn("canary-later"))
    assert redactor.redact_values(["canary-later"]) == ["[secret]"]


def test_two_stacks_of_a_run_are_both_asked_for_secrets() -> None:
    redactor = Redactor()
    redactor.learn_later(lambda: redactor.learn("canary-one"))
    redactor.learn_later(lambda: redactor.learn("canary-two"))
    assert redactor.redact("canary-one canary-two") == "[secret] [secret]"


def test_a_thread_does_not_wait_for_an_answer_that_another_thread_requested() -> None:
    redactor, asked, answered = Redactor(), threading.Event(), threading.Event()

    def find_more() -> None:
        if threading.current_thread() is thread:
            asked.set()
            assert answered.wait(60)

    thread = threading.Thread(target=redactor.redact, args=("text",))
    redactor.learn_later(find_more)
    thread.start()
    assert asked.wait(60)
    redactor.learn("canary-mine")
    assert redactor.redact("canary-mine") == "[secret]"
    answered.set()
    thread.join()


@pytest.mark.parametrize("cut", range(9))
def test_a_short_secret_inside_a_word_that_is_written_in_pieces_is_kept(cut: int) -> None:
    redactor = knowing("dev")
    assert written_in_pieces(redactor, "mydev dev", [cut]) == "mydev [secret]"


def test_a_letter_after_an_escape_in_upper_case_is_part_of_the_secret() -> None:
    redactor = Redactor()
    redactor.learn("Maßeinheit")
    assert redactor.redact("key: Ma\\u00DFeinheit.") == "key: [secret]."
    assert redactor.redact("key: Ma\\xDFeinheit.") == "key: [secret]."
