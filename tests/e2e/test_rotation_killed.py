"""A key rotation killed with SIGKILL, then run again."""

import httpx
import pytest

from flowflare.rollout.rotation import Keys
from tests.e2e.conftest import Project
from tests.e2e.killable import Zygote, has_fired
from tests.e2e.rotating import opens, outputs, rotate, rotation

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("kills")]

SERVICE = {"method": "PUT", "pattern": "/scripts/local-flowflare-service$"}
ORDERS = {"method": "PUT", "pattern": "/scripts/local-flowflare-orders$"}
UNDONE, DONE = {"kind": "answer", "status": 503}, {"kind": "lose"}


@pytest.mark.long
def test_a_rotation_killed_anywhere_goes_on_and_locks_nobody_out(
    project: Project, warm: Zygote
) -> None:
    def killed_at(do: str, action: dict, where: dict) -> None:
        with project.account.fault(action, nth=1, **where) as fault:
            assert warm.kill_when(project.root, do, has_fired(fault)) == -9

    project.stack().up()
    first = outputs(project)["api_key"]
    file = project.root / "Pulumi.local.yaml"
    assert warm.kill_when(project.root, "rotate", lambda: "[2, 1]" in file.read_text()) == -9
    assert_open(project, first)
    killed_at("rotate", UNDONE, SERVICE)
    assert_open(project, first)
    killed_at("rotate", DONE, ORDERS)
    assert_open(project, first)
    rotate(project)
    assert rotation(project).keys() == Keys((2, 1), 2)
    second = outputs(project)["api_key"]
    assert_open(project, first, second)

    killed_at("finish", DONE, SERVICE)
    assert_open(project, second)
    rotate(project, finish=True)
    assert rotation(project).keys() == Keys((2,), 2)
    assert (opens(project, first), opens(project, second)) == (401, 200)
    # Once more finishes nothing, and begins nothing.
    assert rotation(project).steps(finish=True) == ()
    assert project.stack().up().changed == 0


def assert_open(project: Project, *keys: str) -> None:
    """The service is open to callers that hold these keys, and to its client."""
    project.account.settle()
    assert [opens(project, key) for key in keys] == [200] * len(keys)
    client = outputs(project)["client_urls"]["orders"]
    assert httpx.get(f"{client}/orders/none").status_code == 404
