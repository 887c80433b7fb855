"""The pytest plugin in sessions of their own: one emulator, an account for each test, no orphan."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flowflare.emulator import pidfile
from tests.support.waiting import wait_until

pytest_plugins = "pytester"

SUITE = '''
import json
import os
from pathlib import Path
import pytest

SOURCE = """
export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/fail") return new Response("no", { status: 418 });
    return new Response(`${env.WHO} ${request.method} ${await request.text()}`);
  },
  async scheduled() {},
};
"""


def deploy(cloudflare, who):
    from flowflare.testing import Cloudflare
    assert isinstance(cloudflare, Cloudflare)
    scripts = f"{cloudflare.base_url}/accounts/{cloudflare.account_id}/workers/scripts/hello"
    headers = {"Authorization": f"Bearer {cloudflare.api_token}"}
    metadata = {"main_module": "w.js", "compatibility_date": "2026-11-01",
        "bindings": [{"type": "plain_text", "name": "WHO", "text": who}]}
    files = {"w.js": ("w.js", SOURCE, "application/javascript+module"),
        "metadata": (None, json.dumps(metadata), "application/json")}
    assert cloudflare.http.put(scripts, files=files, headers=headers).status_code == 200
    return scripts, headers


@pytest.mark.parametrize("who", ["a", "b", "c", "d"])
def test_each_test_has_an_empty_account(cloudflare, cloudflare_emulator, who):
    Path(os.environ["SEEN"], f"{who}-{os.getpid()}").write_text(str(cloudflare_emulator.pid))
    with pytest.raises(Exception, match="there is no Worker 'hello'"):
        cloudflare.worker("hello")
    scripts, headers = deploy(cloudflare, who)
    with pytest.raises(Exception, match="workers.dev URL of the Worker 'hello' is disabled"):
        cloudflare.worker("hello")
    cloudflare.http.post(f"{scripts}/subdomain", json={"enabled": True}, headers=headers)
    worker = cloudflare.worker("hello")
    assert worker.fetch("/x", method="POST", content="body").text == f"{who} POST body"
    assert worker.fetch("/fail").status_code == 418
    assert [(call.method, call.status) for call in cloudflare.requests][0] == ("PUT", 200)


def test_the_sdk_and_faults(cloudflare, monkeypatch):
    for name, value in cloudflare.environ.items():
        monkeypatch.setenv(name, value)
    import cloudflare as sdk
    client = sdk.Cloudflare(max_retries=0)
    path = "/accounts/{account_id}/d1/database"
    with cloudflare.fault(status=503, path=path, method="POST") as fault:
        with pytest.raises(sdk.InternalServerError):
            client.d1.database.create(account_id=cloudflare.account_id, name="one")
        assert fault.count == 1
    made = client.d1.database.create(account_id=cloudflare.account_id, name="one")
    assert [each.uuid for each in cloudflare.client().d1.database.list(
        account_id=cloudflare.account_id)] == [made.uuid]
    assert [(c.method, c.status) for c in cloudflare.requests][:3] == [
        ("POST", 503), ("POST", 200), ("GET", 200)]
    cloudflare.fault("cut", path=path)
'''


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEEN", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.mark.workerd
def test_workers_of_xdist_share_one_emulator(pytester: pytest.Pytester, notes: Path) -> None:
    pytester.makepyfile(SUITE)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=5)
    assert len({path.name.split("-")[1] for path in notes.iterdir()}) == 2
    [emulator] = {path.read_text() for path in notes.iterdir()}
    assert pidfile.read_start_time(int(emulator)) is None


@pytest.mark.workerd
@pytest.mark.parametrize("xdist", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_a_killed_session_leaves_no_emulator(
    pytester: pytest.Pytester, notes: Path, xdist: list[str]
) -> None:
    pytester.makepyfile(
        """
        import os, threading
        from pathlib import Path
        def test_waits(cloudflare_emulator):
            draft = Path(os.environ["SEEN"], "draft")
            draft.write_text(str(cloudflare_emulator.pid))
            draft.rename(draft.with_name("emulator"))
            threading.Event().wait()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", f"--basetemp={pytester.path}/base", *xdist],
        stdout=subprocess.DEVNULL,
    ) as session:
        wait_until((notes / "emulator").exists)
        emulator = int((notes / "emulator").read_text())
        assert pidfile.read_start_time(emulator)
        session.send_signal(signal.SIGKILL)
    wait_until(lambda: pidfile.read_start_time(emulator) is None)


def test_a_session_without_the_fixture_imports_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_nothing():
            heavy = {"httpx", "cloudflare", "pulumi", "pydantic", "starlette", "flowflare.emulator"}
            ours = {name for name in sys.modules if name.startswith("flowflare")}
            assert ours == {"flowflare", "flowflare.testing", "flowflare.testing.plugin"}
            assert not heavy & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess(
        "-p", "no:schemathesis", "-p", "no:hypothesispytest"
    ).assert_outcomes(passed=1)
