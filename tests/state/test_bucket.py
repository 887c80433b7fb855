"""The store in a bucket, over HTTP: conditions, cut connections, refusals in words."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from flowflare.errors import ConflictError, StateError
from flowflare.state.backends import bucket_errors, open_store
from flowflare.state.backends.bucket import Patience, S3Store
from flowflare.state.backends.bucket_url import BucketUrl, read_bucket_url
from flowflare.state.backends.store import ABSENT
from tests.state.wire import KEYS, Wire
from tests.state.writers import count_together


def content(store: S3Store, key: str = "k") -> bytes | None:
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
    assert stored.age is not None
    assert 0 <= stored.age < 60
    assert below.shown("x") == f"s3://{bucket}/team/a/x"
    assert below.copy(".pulumi/meta.yaml", "b")
    assert not below.copy("none", "c")
    assert set(below.read_many(["b", "none", ".pulumi/meta.yaml"])) == {"b", ".pulumi/meta.yaml"}
    assert below.tags("") == {one: below.get(one).tag for one in ("b", ".pulumi/meta.yaml")}
    assert list(below.tags(".pulumi/", ending=".yaml")) == [".pulumi/meta.yaml"]
    assert below.tags("", ending=".json") == {}
    below.delete("b")
    below.delete("b")
    assert below.get("b") is None


def test_a_write_on_a_condition_that_does_not_hold_is_refused(store: S3Store) -> None:
    with pytest.raises(ConflictError):
        store.put("k", b"1", only_if='"0123"')
    first = store.put("k", b"1", only_if=ABSENT)
    with pytest.raises(ConflictError, match="changed by somebody else"):
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


def test_of_two_writers_one_wins_each_round(store: S3Store) -> None:
    assert count_together(store, 2, 3) == 6


def test_what_was_cut_off_is_asked_again(wire: Wire, store: S3Store) -> None:
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


def test_a_write_whose_answer_was_lost_counts_as_written(wire: Wire, store: S3Store) -> None:
    wire.trouble("PUT", "answer-lost")
    tag = store.put("k", b"1", only_if=ABSENT)
    wire.trouble("PUT", "answer-lost")
    tag = store.put("k", b"2", only_if=tag)
    assert store.get("k") == store.get("k")
    stored = store.get("k")
    assert stored is not None
    assert (stored.data, stored.tag) == (b"2", tag)


def test_anothers_write_is_not_taken_for_ones_own(wire: Wire, store: S3Store) -> None:
    tag = store.put("k", b"1")
    store.put("k", b"another's")
    wire.trouble("PUT", "answer-lost")
    with pytest.raises(ConflictError):
        store.put("k", b"2", only_if=tag)
    with pytest.raises(ConflictError):  # nothing was lost: whoever wrote it, it was not this call
        store.put("k", b"another's", only_if=tag)
    assert content(store) == b"another's"


def test_patience_ends(wire: Wire, store: S3Store) -> None:
    wire.trouble("PUT", *["unheard"] * 3)
    with pytest.raises(StateError, match="does not answer") as refused:
        store.put("k", b"1")
    assert len(wire.requests) == 3
    assert not isinstance(refused.value, ConflictError)
    wire.trouble("PUT", *["busy"] * 3)
    with pytest.raises(StateError, match="HTTP 503"):
        store.put("k", b"1")


def test_a_bucket_that_is_not_there_is_named(wire: Wire) -> None:
    with pytest.raises(StateError, match=r"s3://none: there is no such bucket\n.*region"):
        wire.store("none").get("k")
    with pytest.raises(StateError, match="no such bucket"):
        wire.store("none").put("k", b"", only_if='"x"')


def test_nobody_there(wire: Wire) -> None:
    url = read_bucket_url("s3://b?region=x&endpoint=http://127.0.0.1:9&use_path_style=1", KEYS)
    store = S3Store(url, KEYS, Patience(connect=1, pauses=()))
    with pytest.raises(StateError, match=r"s3://b: the store does not answer \(Endpoint"):
        store.keys("")


@pytest.mark.parametrize(
    ("environ", "url", "said"),
    [
        ({}, "s3://b?region=x", "there are no credentials"),
        ({"AWS_ACCESS_KEY_ID": "a"}, "s3://b?region=x", "half of the credentials"),
        ({}, "s3://b?region=x&profile=none", "the profile is not in"),
        (KEYS, "s3://b", "in which region"),
        (KEYS, "s3://b?endpoint=:", "cannot be asked"),
        (KEYS, "s3://b?regoin=x", "'regoin' is no option"),
        (KEYS, "s3://b?fips=perhaps", "neither yes nor no"),
        (KEYS, "s3:///x", "names no bucket"),
        (KEYS, "gs://b", "gs://b is no place"),
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
        ("AccessDenied", "may not do that there"),
        ("403", "s3:ListBucket"),
        ("SignatureDoesNotMatch", "the secret key is wrong"),
        ("ExpiredToken", "have expired"),
        ("301", "another region"),
        ("NotImplemented", "Conditional writes are needed"),
        ("RequestTimeTooSkewed", r"by 20 minutes \(ahead\)"),
        ("Strange", r"Strange \(HTTP 400\)"),
    ],
)
def test_a_refusal_is_said_in_words(code: str, said: str) -> None:
    now = datetime(2026, 11, 24, 12, 20, tzinfo=UTC)
    date = (now - timedelta(minutes=20)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    meta = {"HTTPStatusCode": 400, "HTTPHeaders": {"date": date}}
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": meta}, "PutObject")
    with pytest.raises(StateError, match=said):
        raise bucket_errors.refused("s3://b", error, now=now)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("s3://b", BucketUrl("b")),
        ("s3://b/team/a/?region=r", BucketUrl("b", "team/a/", region="r")),
        (
            "s3://b?endpoint=127.0.0.1:9000&disableSSL=true&s3ForcePathStyle=true",
            BucketUrl("b", endpoint="http://127.0.0.1:9000", path_style=True),
        ),
        (
            "s3://b?endpoint=h:9&disable_https=false&use_path_style=1&awssdk=v2",
            BucketUrl("b", endpoint="https://h:9", path_style=True),
        ),
        (
            "s3://b?endpoint=https://x.r2.cloudflarestorage.com&region=auto&profile=p",
            BucketUrl("b", "", "https://x.r2.cloudflarestorage.com", "auto", "p"),
        ),
    ],
)
def test_urls_are_pulumis(url: str, found: BucketUrl) -> None:
    assert read_bucket_url(url, {}) == found


def test_the_environment_completes_the_url() -> None:
    environ = {"AWS_REGION": "r", "AWS_PROFILE": "p", "AWS_ENDPOINT_URL": "http://e"}
    assert read_bucket_url("s3://b", environ) == BucketUrl("b", "", "http://e", "r", "p")
    assert read_bucket_url("s3://b", {**environ, **KEYS}).profile == ""


def test_no_key_is_in_what_is_shown(wire: Wire) -> None:
    url = wire.url("none").replace("s3://", "s3://user:canary-secret-key@")
    store = open_store(url, KEYS)
    with pytest.raises(StateError) as refused:
        store.get("k")
    assert "canary" not in f"{store!r} {store.url} {store.shown('k')} {refused.value}"


def test_a_folder_needs_no_boto3() -> None:
    program = (
        "import sys; import flowflare.engine.stack; "
        "from flowflare.state.backends import open_store; "
        "open_store('file:///tmp', {}).get('none'); print('botocore' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False\n"
