"""The store in a bucket, over HTTP: conditions, cut connections, refusals in words."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends import s3
from flowflare.state.backends.objects import ObjectStore, Timeouts
from flowflare.state.backends.refusals import read_refusal
from flowflare.state.backends.registry import open_store
from flowflare.state.backends.store import ABSENT
from tests.state.wire import KEYS, Wire
from tests.state.writers import count_together


def content(store: ObjectStore, key: str = "k") -> bytes | None:
    stored = store.get(key)
    return stored.data if stored else None


def test_objects_come_back_below_the_prefix(wire: Wire, bucket: str) -> None:
    whole = wire.store(bucket)
    below = open_store(wire.url(bucket).replace(bucket, f"{bucket}/team/a", 1), KEYS)
    tag = below.put(".pulumi/meta.yaml", b"version: 1\n", only_if=ABSENT)
    assert whole.keys("") == ["team/a/.pulumi/meta.yaml"]
    assert below.keys(".pulumi/") == [".pulumi/meta.yaml"]
    stored = below.get(".pulumi/meta.yaml")
    assert stored is not None
    assert (stored.data, stored.tag) == (b"version: 1\n", tag)
    assert abs(stored.modified - time.time()) < 60
    assert below.describe("x") == f"s3://{bucket}/team/a/x"
    assert below.copy(".pulumi/meta.yaml", "b")
    assert not below.copy("none", "c")
    assert set(below.read_many(["b", "none", ".pulumi/meta.yaml"])) == {"b", ".pulumi/meta.yaml"}
    assert below.tags("") == {key: below.get(key).tag for key in ("b", ".pulumi/meta.yaml")}
    assert list(below.tags(".pulumi/", ending=".yaml")) == [".pulumi/meta.yaml"]
    assert below.tags("", ending=".json") == {}
    below.delete("b")
    below.delete("b")
    assert below.get("b") is None


def test_a_write_on_a_condition_that_does_not_hold_is_refused(store: ObjectStore) -> None:
    with pytest.raises(ConflictError):
        store.put("k", b"1", only_if='"0123"')
    first = store.put("k", b"1", only_if=ABSENT)
    with pytest.raises(ConflictError, match="changed by another program"):
        store.put("k", b"2", only_if=ABSENT)
    second = store.put("k", b"2", only_if=first)
    for refused in (
        lambda: store.put("k", b"3", only_if=first),
        lambda: store.delete("k", only_if=first),
    ):
        with pytest.raises(ConflictError):
            refused()
    assert content(store) == b"2"
    store.delete("k", only_if=second)
    store.delete("k", only_if=second)
    assert content(store) is None


def test_of_two_writers_one_wins_each_round(store: ObjectStore) -> None:
    assert count_together(store, 2, 3) == 6


def test_what_was_cut_off_is_asked_again(wire: Wire, store: ObjectStore) -> None:
    wire.trouble("PUT", "unheard", "busy")
    store.put("other", b"1")
    wire.trouble("PUT", "too-many", "unheard")
    tag = store.put("k", b"1" * 1000, only_if=ABSENT)
    wire.trouble("GET", "unheard", "answer-torn")
    assert content(store) == b"1" * 1000
    wire.trouble("GET", "answer-lost")
    assert store.keys("") == ["k", "other"]
    wire.trouble("DELETE", "answer-lost")
    store.delete("k", only_if=tag)
    assert content(store) is None


def test_a_write_whose_answer_was_lost_counts_as_written(wire: Wire, store: ObjectStore) -> None:
    wire.trouble("PUT", "answer-lost")
    tag = store.put("k", b"1", only_if=ABSENT)
    wire.trouble("PUT", "answer-lost")
    tag = store.put("k", b"2", only_if=tag)
    assert store.get("k") == store.get("k")
    stored = store.get("k")
    assert stored is not None
    assert (stored.data, stored.tag) == (b"2", tag)


def test_a_write_that_arrives_twice_counts_as_written(wire: Wire, store: ObjectStore) -> None:
    wire.trouble("PUT", "twice")
    tag = store.put("k", b"1", only_if=ABSENT)
    wire.trouble("PUT", "twice")
    store.put("k", b"2", only_if=tag)
    assert content(store) == b"2"


def test_anothers_write_is_not_taken_for_ones_own(wire: Wire, store: ObjectStore) -> None:
    tag = store.put("k", b"1")
    store.put("k", b"another's")
    wire.trouble("PUT", "answer-lost")
    with pytest.raises(ConflictError):
        store.put("k", b"2", only_if=tag)
    with pytest.raises(ConflictError):  # the object is not from this call
        store.put("k", b"another's", only_if=tag)
    assert content(store) == b"another's"


def test_patience_ends(wire: Wire, store: ObjectStore) -> None:
    wire.trouble("PUT", *["unheard"] * 3)
    with pytest.raises(StateError, match="does not answer") as refused:
        store.put("k", b"1")
    assert len(wire.requests) == 3
    assert not isinstance(refused.value, ConflictError)
    wire.trouble("PUT", *["busy"] * 3)
    with pytest.raises(StateError, match="HTTP 503"):
        store.put("k", b"1")


def test_a_bucket_that_is_not_there_is_named(wire: Wire) -> None:
    with pytest.raises(StateError, match=r"s3://none: the bucket does not exist\n.*region"):
        wire.store("none").get("k")
    with pytest.raises(StateError, match="the bucket does not exist"):
        wire.store("none").put("k", b"", only_if='"x"')


def test_a_store_that_does_not_answer() -> None:
    url = "s3://b?region=x&endpoint=http://127.0.0.1:9&use_path_style=1"
    store = s3.open_bucket(url, KEYS, patience=Timeouts(connect=1, pauses=()))
    with pytest.raises(StateError, match="s3://b: the store does not answer"):
        store.keys("")


@pytest.mark.parametrize(
    ("environ", "url", "said"),
    [
        ({}, "s3://b?region=x", "the credentials are missing"),
        ({"AWS_ACCESS_KEY_ID": "a"}, "s3://b?region=x", "half of the credentials"),
        ({}, "s3://b?region=x&profile=none", "the profile is not in"),
        (KEYS, "s3://b", "region is missing"),
        (KEYS, "s3://b?endpoint=:", "Check the network and the endpoint"),
        (KEYS, "s3://b?regoin=x", "'regoin' is not a known option"),
        (KEYS, "s3://b?fips=perhaps", "neither true nor false"),
        (KEYS, "s3:///x", "does not name a bucket"),
        (KEYS, "ftp://b", "ftp://b is not a supported backend"),
        (KEYS, "azblob://b", "the storage account is missing"),
        (KEYS, "azblob://b?storage_acount=x", "'storage_acount' is not a known option"),
        ({"GOOGLE_CREDENTIALS": "{}"}, "gs://b", "credentials in the environment"),
    ],
)
def test_what_is_missing_is_said(
    environ: dict[str, str], url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(StateError, match=said):
        open_store(url, environ).get("k")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDenied", "do not have the permission"),
        ("403", "s3:ListBucket"),
        ("SignatureDoesNotMatch", "the secret key is wrong"),
        ("ExpiredToken", "have expired"),
        ("301", "another region"),
        ("NotImplemented", "with conditional writes"),
        ("RequestTimeTooSkewed", r"by 20 minutes \(ahead\)"),
        ("Strange", r"Strange \(HTTP 400\)"),
    ],
)
def test_a_refusal_is_said_in_words(code: str, said: str) -> None:
    now = datetime(2026, 11, 24, 12, 20, tzinfo=UTC)
    body = f"<Error><Code>{code}</Code><ServerTime>2026-11-24T12:00:00Z</ServerTime></Error>"
    error = Exception(f"Generic S3 error: non-2xx status code: 400 Bad Request: {body}")
    raise_it = s3.REMEDIES.make_error("s3://b", read_refusal(error), now=now)
    with pytest.raises(StateError, match=said):
        raise raise_it


@pytest.mark.parametrize(
    ("url", "requests"),
    [
        ("s3://bucket?region=r", "https://bucket.s3.r.amazonaws.com"),
        ("s3://my.bucket?region=r", "https://s3.r.amazonaws.com"),
        ("s3://bucket?region=cn-north-1", "https://bucket.s3.cn-north-1.amazonaws.com.cn"),
        ("s3://bucket?region=r&dualstack=1", "https://bucket.s3.dualstack.r.amazonaws.com"),
        ("s3://bucket?region=r&fips=true", "https://bucket.s3-fips.r.amazonaws.com"),
        ("s3://bucket?region=r&accelerate=T", "https://bucket.s3-accelerate.amazonaws.com"),
        ("s3://bucket?endpoint=127.0.0.1:9000&disableSSL=true", "http://127.0.0.1:9000"),
        ("s3://bucket?endpoint=h:9&disable_https=false&awssdk=v2", "https://bucket.h:9"),
        (
            "s3://bucket?endpoint=https://x.r2.cloudflarestorage.com&region=auto&s3ForcePathStyle=1",
            "https://x.r2.cloudflarestorage.com",
        ),
    ],
)
def test_urls_are_pulumis(url: str, requests: str) -> None:
    assert s3.open_bucket(url, KEYS)._connect().config["endpoint"] == requests


def test_the_environment_completes_the_url() -> None:
    environ = {**KEYS, "AWS_REGION": "r", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    config = s3.open_bucket("s3://bucket", environ)._connect().config
    assert (config["endpoint"], config["region"]) == ("http://127.0.0.1:1", "r")


def test_no_key_is_in_what_is_shown(wire: Wire) -> None:
    url = wire.url("none").replace("s3://", "s3://user:canary-secret-key@")
    store = open_store(url, KEYS)
    with pytest.raises(StateError) as refused:
        store.get("k")
    assert "canary" not in f"{store!r} {store.url} {store.describe('k')} {refused.value}"


def test_a_folder_needs_no_boto3() -> None:
    program = (
        "import sys; import flowflare.engine.embedded.stack; "
        "from flowflare.state.backends.registry import open_store; "
        "open_store('file:///tmp', {}).get('none'); print('botocore' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False\n"
