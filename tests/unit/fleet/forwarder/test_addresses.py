"""The forwarder's URLs, the timeouts of programs, and the forwarder's own responses."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowflare.errors import ConfigError
from flowflare.fleet.forwarder.address import CLOUDFLARE, make_environ, make_url, read_route
from flowflare.fleet.forwarder.envelope import hide_ids
from flowflare.fleet.forwarder.limit import CallLimit, reserve_of
from flowflare.fleet.forwarder.passing import forward_headers
from flowflare.fleet.forwarder.patience import patience_of, retry_after

ADDRESS = "http://127.0.0.1:4000/token"
LOCAL = "http://127.0.0.1:8780/client/v4"


def path_of(url: str) -> bytes:
    return url.removeprefix("http://127.0.0.1:4000").encode()


@given(
    st.text(string.ascii_letters + string.digits + "_.-/ü", min_size=1, max_size=20),
    st.sampled_from([CLOUDFLARE, LOCAL, "https://proxy.example:8443/cf/client/v4", LOCAL + "/"]),
    st.text("abc%/7E~;.:'\\|", max_size=20),
    st.binary(max_size=20),
)
def test_a_url_names_stack_and_api_and_the_rest_is_kept_byte_for_byte(
    stack: str, upstream: str, rest: str, query: bytes
) -> None:
    raw = path_of(make_url(ADDRESS, stack, upstream)) + b"/" + rest.encode()
    route = read_route("token", raw, query)
    assert route is not None
    assert (route.stack, route.upstream) == (stack, upstream.rstrip("/"))
    base = "/cf/client/v4" if "/cf/" in upstream else "/client/v4"
    assert route.target == f"{base}/{rest}".encode() + (b"?" + query if query else b"")


@pytest.mark.parametrize(
    "path",
    [
        b"/other/acme/cloudflare/client/v4/x",
        b"//acme/cloudflare/client/v4/x",
        b"/token/acme/cloudflare/client/v4x",
        b"/token/acme/cloudflare/emulator/faults",
        b"/token//cloudflare/client/v4/x",
        b"/token/acme/%%%/client/v4/x",
        b"/token/acme/ZmlsZTovLy9ldGM/client/v4/x",  # file:///etc
        b"/token",
        b"",
        "/tökén/acme/cloudflare/client/v4".encode(),
    ],
)
def test_a_path_without_the_runs_token_or_of_another_form_is_refused(path: bytes) -> None:
    assert read_route("token", path, b"") is None


def test_the_environment_makes_every_program_use_the_forwarder_without_a_proxy() -> None:
    given = {"CLOUDFLARE_BASE_URL": LOCAL, "NO_PROXY": "intranet", "PATH": "/bin"}
    changed = make_environ(ADDRESS, "acme", given)
    url = make_url(ADDRESS, "acme", LOCAL)
    assert changed == {
        "PATH": "/bin",
        "CLOUDFLARE_BASE_URL": url,
        "CLOUDFLARE_API_BASE_URL": url,
        "NO_PROXY": "intranet,127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-stainless-read-timeout": "60"}, 55),
        ({"x-stainless-read-timeout": "2.0", "x-stainless-lang": "python"}, 1),
        ({"x-stainless-timeout": "20", "x-stainless-lang": "go"}, 15),
        ({"x-stainless-lang": "go"}, 600),
        ({"user-agent": "wrangler/4.164.0"}, 295),
        ({"x-stainless-read-timeout": "nan"}, 50),
        ({"x-stainless-read-timeout": "-1", "user-agent": "curl/8"}, 50),
    ],
)
def test_a_call_is_held_as_long_as_its_program_waits(
    headers: dict[str, str], seconds: float
) -> None:
    assert patience_of(headers) == seconds


def test_every_program_obeys_the_retry_after_of_a_refused_call() -> None:
    assert [retry_after(seconds) for seconds in (0, 0.2, 41.5, 290)] == [1, 1, 42, 55]


def test_headers_of_the_connection_are_not_forwarded() -> None:
    given = [
        (b"Connection", b"keep-alive, X-Hop"),
        (b"x-hop", b"1"),
        (b"Authorization", b"Bearer t"),
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
        (b"transfer-encoding", b"chunked"),
        (b"host", b"127.0.0.1"),
    ]
    assert forward_headers(given) == [given[2], given[3], given[4]]


def test_a_message_contains_no_id_and_no_query() -> None:
    account, database = "0123456789abcdef" * 2, "545c4809-1648-42c5-9184-54be1ad6a228"
    path = f"/accounts/{account}/d1/database/{database}/query?name=secret"
    assert hide_ids(path) == "/accounts/{id}/d1/database/{id}/query"


def test_the_environment_sets_the_reserve_and_a_loopback_api_states_its_own_limit() -> None:
    assert (reserve_of({}), reserve_of({"FLOWFLARE_RESERVED_CALLS": "0"})) == (100, 0)
    for wrong in ("many", "-1", "1101", "²"):
        with pytest.raises(ConfigError, match="FLOWFLARE_RESERVED_CALLS: is "):
            reserve_of({"FLOWFLARE_RESERVED_CALLS": wrong})
    assert CallLimit.of(CLOUDFLARE, 7) == CallLimit(calls=1200, reserve=7)
    assert CallLimit.of(LOCAL).calls is None
