"""The API key is rotated under constant traffic, and nobody is ever turned away."""

import httpx
import pytest

from flowflare.engine import open_stack
from flowflare.rollout.health import Patience
from flowflare.rollout.rotate import Rotation, api_keys
from flowflare.rollout.rotation import Keys
from tests.e2e.conftest import Project
from tests.e2e.traffic import Traffic, constant

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


def rotation(project: Project, seconds: float = 20) -> Rotation:
    def opened(_: object) -> object:
        return open_stack(project.root, "local")

    return Rotation(project.root, "local", opened, Patience(seconds))  # type: ignore[arg-type]


def rotate(project: Project, *, finish: bool = False) -> None:
    going = rotation(project)
    for step in going.steps(finish=finish):
        going.perform(step)


def outputs(project: Project) -> dict:
    return project.stack().outputs(show_secrets=True)


def opens(project: Project, key: str) -> int:
    url = f"{outputs(project)['service_url']}/service/list-workflows"
    return httpx.post(url, json={}, headers={"X-API-Key": key}).status_code


def test_two_rotations_under_constant_traffic_without_a_failure(project: Project) -> None:
    project.stack().up()
    project.account.settle()
    at_first = outputs(project)
    traffic = Traffic(
        at_first["client_urls"]["orders"], at_first["service_url"], at_first["api_key"]
    )
    with constant(traffic):
        for generation in (2, 3):
            rotate(project)
            # The caller outside reads the stack's output again before the old key is dropped.
            traffic.outside_key = outputs(project)["api_key"]
            rotate(project, finish=True)
            assert rotation(project).keys() == Keys((generation,), generation)
    assert traffic.failures == []
    assert min(traffic.answers.values()) > 20, traffic.answers
    assert opens(project, at_first["api_key"]) == 401
    assert opens(project, outputs(project)["api_key"]) == 200
    assert list(api_keys(project.stack().read())) == [3]
    assert project.stack().up().changed == 0
