"""`up` and `destroy` killed with SIGKILL at every call to the API, then run again."""

import pytest

from tests.e2e.conftest import ROOT, Project
from tests.e2e.killable import Zygote, has_fired
from tests.support.tiers import keep_every

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("kills")]

# Ten resources that call, one of them twice; the migrations call once for the ledger, and for each
# file for its bookmark and for itself.
CALLS_OF_UP = 11 + 2 * len(list((ROOT / "migrations").glob("*.sql")))
CALLS_OF_DESTROY = 6
# Nothing of the call has happened, or all of it: the run dies before it hears of either.
UNDONE = {"kind": "answer", "status": 503}
DONE = {"kind": "lose"}


def test_these_are_all_the_calls(project: Project) -> None:
    project.stack().up()
    of_up = len(project.account.requests())
    project.stack().destroy()
    assert (of_up, len(project.account.requests()) - of_up) == (CALLS_OF_UP, CALLS_OF_DESTROY)


@pytest.mark.parametrize("action", [UNDONE, DONE], ids=["undone", "done"])
@pytest.mark.parametrize("nth", keep_every(4, range(1, CALLS_OF_UP + 1)))
def test_up_killed_at_a_call_converges(
    project: Project, warm: Zygote, nth: int, action: dict[str, object]
) -> None:
    with project.account.fault(action, nth=nth) as fault:
        assert warm.kill_when(project.root, "up", has_fired(fault)) == -9
    project.stack().up()
    assert_whole(project)


@pytest.mark.parametrize("nth", keep_every(4, range(1, CALLS_OF_DESTROY + 1)))
def test_destroy_killed_at_a_call_ends_with_nothing(
    project: Project, warm: Zygote, nth: int
) -> None:
    project.stack().up()
    with project.account.fault(DONE, nth=nth) as fault:
        assert warm.kill_when(project.root, "destroy", has_fired(fault)) == -9
    project.stack().destroy()
    assert project.account.holds_nothing()
    assert project.stack().is_empty()


def assert_whole(project: Project) -> None:
    """All of the stack is there, once, and a further run has nothing to do."""
    assert project.account.databases() == ["local-flowflare-db"]
    assert project.account.scripts() == ["local-flowflare-orders", "local-flowflare-service"]
    assert project.account.workflows() == ["local-flowflare-order-processing"]
    last = project.account.last_request()
    assert project.stack().up().changed == 0
    assert project.account.writes(since=last) == []
