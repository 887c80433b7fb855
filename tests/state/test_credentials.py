"""The credentials of a bucket are those that boto3 finds, and they are refreshed in time."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from flowflare.state.backends.registry import open_store
from tests.state.wire import Wire


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_profile_of_the_url_signs(
    wire: Wire, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    file.write_text("[team]\naws_access_key_id = TEAMKEY\naws_secret_access_key = canary\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    wire.signers.clear()
    open_store(wire.url(bucket, profile="team"), {"AWS_ACCESS_KEY_ID": "other"}).put("k", b"1")
    open_store(wire.url(bucket), {"AWS_PROFILE": "team"}).get("k")
    assert wire.signers == ["TEAMKEY", "TEAMKEY"]


class _Container(BaseHTTPRequestHandler):
    """Credentials of a container, as ECS hands them out: new ones each time, soon to expire."""

    number = 0
    lasts = timedelta()

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        type(self).number += 1
        body = json.dumps(
            {
                "AccessKeyId": f"KEY{self.number}",
                "SecretAccessKey": "canary",
                "Token": "canary-token",
                "Expiration": (datetime.now(UTC) + self.lasts).isoformat(),
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Container]]:
    class Handler(_Container):
        pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
        yield Handler
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("lasts", "signers"),
    [(timedelta(hours=1), ["KEY1"] * 3), (timedelta(minutes=9), ["KEY2", "KEY3", "KEY4"])],
)
def test_credentials_are_refreshed_ten_minutes_before_they_expire(
    wire: Wire, bucket: str, container: type[_Container], lasts: timedelta, signers: list[str]
) -> None:
    container.lasts = lasts
    wire.signers.clear()
    store = open_store(wire.url(bucket), {})
    for key in "abc":
        store.put(key, b"1")
    assert len(set(wire.signers)) == len(set(signers)), wire.signers
