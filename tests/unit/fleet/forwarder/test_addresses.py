"""What an address of the forwarder means, how long a program waits, and what an answer says."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowflare.errors import ConfigError
from flowflare.fleet.forwarder.address import CLOUDFLARE, environment, read_route, routed
from flowflare.fleet.forwarder.envelope import template
from flowflare.fleet.forwarder.limit import Limit, reserve_of
from flowflare.fleet.forwarder.passing import passed_on
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
def test_an_address_says_all_of_it_and_the_rest_goes_byte_for_byte(
    stack: str, upstream: str, rest: str, query: bytes
) -> None:
    raw = path_of(routed(ADDRESS, stack, upstream)) + b"/" + rest.encode()
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
def test_what_is_none_of_this_runs_is_nothing(path: bytes) -> None:
    assert read_route("token", path, b"") is None


def test_an_environment_leads_every_program_there_and_past_proxies() -> None:
    given = {"CLOUDFLARE_BASE_URL": LOCAL, "NO_PROXY": "intranet", "PATH": "/bin"}
    changed = environment(ADDRESS, "acme", given)
    url = routed(ADDRESS, "acme", LOCAL)
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


def test_everybody_obeys_what_a_refused_call_is_told() -> None:
    assert [retry_after(seconds) for seconds in (0, 0.2, 41.5, 290)] == [1, 1, 42, 55]


def test_headers_of_the_connection_stay_behind() -> None:
    given = [
        (b"Connection", b"keep-alive, X-Hop"),
        (b"x-hop", b"1"),
        (b"Authorization", b"Bearer t"),
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
        (b"transfer-encoding", b"chunked"),
        (b"host", b"127.0.0.1"),
    ]
    assert passed_on(given) == [given[2], given[3], given[4]]


def test_a_message_names_no_id_and_no_query() -> None:
    account, database = "0123456789abcdef" * 2, "545c4809-1648-42c5-9184-54be1ad6a228"
    path = f"/accounts/{account}/d1/database/{database}/query?name=secret"
    assert template(path) == "/accounts/{id}/d1/database/{id}/query"


def test_the_reserve_is_the_environments_and_a_loopback_api_tells_its_own_limit() -> None:
    assert (reserve_of({}), reserve_of({"FLOWFLARE_RESERVED_CALLS": "0"})) == (100, 0)
    for wrong in ("many", "-1", "1101", "²"):
        with pytest.raises(ConfigError, match="FLOWFLARE_RESERVED_CALLS: is "):
            reserve_of({"FLOWFLARE_RESERVED_CALLS": wrong})
    assert Limit.of(CLOUDFLARE, 7) == Limit(calls=1200, reserve=7)
    assert Limit.of(LOCAL).calls is None
