"""A token that a header cannot contain is refused before it is sent, and never quoted."""

import subprocess
import sys

import pytest

from flowflare.api import Connector, Pace
from flowflare.api.headers import check_secret
from flowflare.errors import SecretError

TOKEN = "0123456789abcdef0123456789abcdef"
ADDRESS = "http://127.0.0.1:9/client/v4"


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\0", "ü", "\x7f"])
def test_a_token_that_cannot_be_sent_is_not_quoted(end: str) -> None:
    """h11 says `Illegal header value b'Bearer 0123...'`."""
    connector = Connector(Pace(sleep=lambda _: None))
    with pytest.raises(SecretError) as refused:
        connector.open(ADDRESS, TOKEN + end)
    assert "the API token for Cloudflare" in refused.value.message
    assert TOKEN[:6] not in str(refused.value)


def test_a_token_that_can_be_sent_is_unchanged() -> None:
    assert check_secret("ff_prod_1a2b_-~!", "a key") == "ff_prod_1a2b_-~!"
    assert check_secret("", "none") == ""


LOGGED = f"""
import httpx
from flowflare.api import Connector, Pace
answer = httpx.Response(200, json={{"success": True, "result": {{}}}})
connector = Connector(Pace(), transport=lambda: httpx.MockTransport(lambda _: answer))
client = connector.open("{ADDRESS}", "{TOKEN}")
client.call("PUT", "/accounts/a/workers/scripts/s/secrets", body={{"text": "hidden-{TOKEN}"}})
"""


def test_the_sdk_logs_calls_without_their_bodies() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGGED],
        env={"CLOUDFLARE_LOG": "debug", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PUT" in done.stderr
    assert TOKEN not in done.stderr
