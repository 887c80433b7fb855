"""A key rotation that is killed with SIGKILL resumes when it is run again."""

import httpx
import pytest

from flowflare.rollout.rotation import Keys
from tests.e2e.conftest import Project
from tests.e2e.killable import Zygote, has_fired
from tests.e2e.rotating import call_service, make_rotation, read_outputs, rotate

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("kills")]

SERVICE = {"method": "PUT", "pattern": "/scripts/local-flowflare-service$"}
ORDERS = {"method": "PUT", "pattern": "/scripts/local-flowflare-orders$"}
UNDONE, DONE = {"kind": "answer", "status": 503}, {"kind": "lose"}


@pytest.mark.long
def test_a_killed_rotation_resumes_and_refuses_no_valid_key(project: Project, warm: Zygote) -> None:
    def kill_at(do: str, action: dict, request: dict) -> None:
        with project.account.inject_fault(action, nth=1, **request) as fault:
            assert warm.kill_when(project.root, do, has_fired(fault)) == -9

    project.open_stack().up()
    first = read_outputs(project)["api_key"]
    file = project.root / "Pulumi.local.yaml"
    assert warm.kill_when(project.root, "rotate", lambda: "[2, 1]" in file.read_text()) == -9
    assert_accepted(project, first)
    kill_at("rotate", UNDONE, SERVICE)
    assert_accepted(project, first)
    kill_at("rotate", DONE, ORDERS)
    assert_accepted(project, first)
    rotate(project)
    assert make_rotation(project).keys() == Keys((2, 1), 2)
    second = read_outputs(project)["api_key"]
    assert_accepted(project, first, second)

    kill_at("finish", DONE, SERVICE)
    assert_accepted(project, second)
    rotate(project, finish=True)
    assert make_rotation(project).keys() == Keys((2,), 2)
    assert (call_service(project, first), call_service(project, second)) == (401, 200)
    # When it is run again, nothing is left to finish and no new rotation begins.
    assert make_rotation(project).steps(finish=True) == ()
    assert project.open_stack().up().changed == 0


def assert_accepted(project: Project, *keys: str) -> None:
    """Assert that the service accepts these keys and the key of its client."""
    project.account.settle()
    assert [call_service(project, key) for key in keys] == [200] * len(keys)
    client = read_outputs(project)["client_urls"]["orders"]
    assert httpx.get(f"{client}/orders/none").status_code == 404
