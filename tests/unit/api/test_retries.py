"""Retries: what is retried, how long the waits are, when they end, and what the error says."""

import email.utils

import httpx
import pytest

from flowflare.errors import ApiError
from tests.unit.api.fake_time import START, Api, answer


@pytest.mark.parametrize(
    "trouble",
    [answer(408), answer(409), answer(429), answer(500), answer(503), httpx.ReadTimeout("slow")],
    ids=["408", "409", "429", "500", "503", "time-out"],
)
def test_a_call_is_retried_with_longer_and_longer_waits(trouble: httpx.Response) -> None:
    api = Api([trouble, trouble, trouble, answer(result="done")])
    assert api.client().call("PUT", "/x") == "done"
    assert api.time.slept == [0.5, 1.0, 2.0]


def test_a_refusal_is_not_retried() -> None:
    api = Api([answer(400), answer(result="done")])
    with pytest.raises(ApiError, match=r"PUT /x: HTTP 400: Please wait \[code: 971\]$"):
        api.client().call("PUT", "/x")
    assert api.time.slept == []


@pytest.mark.parametrize(("told", "status", "sent"), [("true", 404, 2), ("false", 503, 1)])
def test_the_api_can_say_whether_to_retry(told: str, status: int, sent: int) -> None:
    api = Api([answer(status, x_should_retry=told), answer(400)])
    with pytest.raises(ApiError):
        api.client().call("GET", "/x")
    assert len(api.requests) == sent


@pytest.mark.parametrize(
    ("name", "asked", "waited"),
    [
        ("retry-after", "7", 7.0),
        ("retry-after", "300", 300.0),
        ("retry-after", email.utils.formatdate(START + 40, usegmt=True), 40.0),
        ("retry-after-ms", "1500", 1.5),
        ("retry-after", "0", 0.5),
        ("retry-after", "-1", 0.5),
        ("retry-after", "nan", 0.5),
        ("retry-after", "soon", 0.5),
        ("retry-after", email.utils.formatdate(START - 40, usegmt=True), 0.5),
    ],
)
def test_a_retry_waits_as_long_as_the_api_asks(name: str, asked: str, waited: float) -> None:
    api = Api([answer(429, **{name.replace("-", "_"): asked}), answer(result="done")])
    assert api.client().call("GET", "/x") == "done"
    assert sum(api.time.slept) == pytest.approx(waited, abs=0.01)


def test_the_fifth_failure_is_final_and_the_error_says_so() -> None:
    api = Api([answer(503)])
    with pytest.raises(ApiError, match=r"GET /x: HTTP 503: .* \(tried 5 times in 8 s\)") as caught:
        api.client().call("GET", "/x")
    assert len(api.requests) == 5
    assert (caught.value.status, caught.value.codes) == (503, (971,))


def test_the_total_wait_is_bounded() -> None:
    api = Api([answer(429, retry_after="200")])
    with pytest.raises(ApiError, match=r"tried 2 times in 200 s\)\n  Cloudflare allows .* 1,200"):
        api.client().call("GET", "/x")
    assert api.time.seconds == pytest.approx(200)


def test_a_wait_of_an_hour_is_refused() -> None:
    api = Api([answer(429, retry_after="3600")])
    with pytest.raises(ApiError, match="HTTP 429"):
        api.client().call("GET", "/x")
    assert api.time.slept == []


def test_a_call_without_a_response_names_the_reason() -> None:
    api = Api([httpx.ConnectError("Connection refused")])
    with pytest.raises(
        ApiError, match=r"\(Connection refused\) \(tried 5 times in 8 s\)"
    ) as caught:
        api.client().call("GET", "/x")
    assert (caught.value.status, caught.value.doubtful) == (0, True)


class TestACreationThatMustNotHappenTwice:
    """With `find`, a retry first looks for the result of the attempt before."""

    @pytest.mark.parametrize("trouble", [answer(500), httpx.ReadTimeout("slow")], ids=str)
    def test_what_an_unanswered_call_created_is_found(self, trouble: httpx.Response) -> None:
        api = Api([trouble, answer(result="second")])
        assert api.client().call("POST", "/x", find=lambda: "first") == "first"
        assert api.requests == ["POST /x"]

    def test_the_call_is_retried_if_nothing_is_found(self) -> None:
        api = Api([answer(500), answer(result="second")])
        assert api.client().call("POST", "/x", find=lambda: None) == "second"

    def test_a_rate_limited_call_created_nothing(self) -> None:
        api = Api([answer(429), answer(result="second")])
        assert api.client().call("POST", "/x", find=lambda: "first") == "second"

    def test_the_result_of_the_last_attempt_is_looked_for_too(self) -> None:
        seen: list[str | None] = [None, None, None, None, "fifth"]
        api = Api([httpx.ReadError("cut")])
        assert api.client().call("POST", "/x", find=lambda: seen.pop(0)) == "fifth"
        assert len(api.requests) == 5

    @pytest.mark.parametrize("last", [400, 429])
    def test_one_lost_response_leaves_doubt_whatever_follows(self, last: int) -> None:
        api = Api([httpx.ReadError("cut"), answer(last)])
        with pytest.raises(ApiError) as caught:
            api.client().call("POST", "/x", find=lambda: None)
        assert (caught.value.status, caught.value.doubtful) == (last, True)

    def test_a_failed_search_leaves_doubt(self) -> None:
        api = Api([httpx.ReadError("cut"), answer(403)])
        client = api.client()
        with pytest.raises(ApiError, match="GET /names: HTTP 403") as caught:
            client.call("POST", "/x", find=lambda: client.call("GET", "/names"))
        assert caught.value.doubtful
