"""`up` and `destroy` converge after SIGKILL at any API call."""

import pytest

from tests.e2e.conftest import ROOT, Project
from tests.e2e.killable import Zygote, has_fired
from tests.support.tiers import keep_every

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("kills")]

# Ten resources make calls, one of them twice. The migrations make a call for their record, and two
# for each file: a bookmark and the file itself.
CALLS_OF_UP = 11 + 2 * len(list((ROOT / "migrations").glob("*.sql")))
CALLS_OF_DESTROY = 6
# The call was not executed, or it was: the run is killed before it receives the answer.
UNDONE = {"kind": "answer", "status": 503}
DONE = {"kind": "lose"}


def test_the_number_of_calls_is_known(project: Project) -> None:
    project.open_stack().up()
    calls_of_up = len(project.account.list_requests())
    project.open_stack().destroy()
    calls_of_destroy = len(project.account.list_requests()) - calls_of_up
    assert (calls_of_up, calls_of_destroy) == (CALLS_OF_UP, CALLS_OF_DESTROY)


@pytest.mark.parametrize("action", [UNDONE, DONE], ids=["undone", "done"])
@pytest.mark.parametrize("nth", keep_every(4, range(1, CALLS_OF_UP + 1)))
def test_up_killed_at_a_call_converges(
    project: Project, warm: Zygote, nth: int, action: dict[str, object]
) -> None:
    with project.account.inject_fault(action, nth=nth) as fault:
        assert warm.kill_when(project.root, "up", has_fired(fault)) == -9
    project.open_stack().up()
    assert_complete(project)


@pytest.mark.parametrize("nth", keep_every(4, range(1, CALLS_OF_DESTROY + 1)))
def test_destroy_killed_at_a_call_leaves_nothing_after_it_is_repeated(
    project: Project, warm: Zygote, nth: int
) -> None:
    project.open_stack().up()
    with project.account.inject_fault(DONE, nth=nth) as fault:
        assert warm.kill_when(project.root, "destroy", has_fired(fault)) == -9
    project.open_stack().destroy()
    assert project.account.is_empty()
    assert project.open_stack().is_empty()


def assert_complete(project: Project) -> None:
    """Assert that every resource exists once and that another run has nothing to do."""
    assert project.account.list_databases() == ["local-flowflare-db"]
    assert project.account.list_scripts() == ["local-flowflare-orders", "local-flowflare-service"]
    assert project.account.list_workflows() == ["local-flowflare-order-processing"]
    last = project.account.find_last_request()
    assert project.open_stack().up().changed == 0
    assert project.account.list_writes(since=last) == []
