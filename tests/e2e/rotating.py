"""Rotations of a project's API key, in this process."""

from typing import Any

import httpx

from flowflare.engine.embedded.stack import EmbeddedStack
from flowflare.rollout.health import Patience
from flowflare.rollout.rotate import Rotation
from tests.e2e.conftest import Project
from tests.support.embedded import open_embedded


def rotation(project: Project, seconds: float = 20) -> Rotation:
    def opened(_: object) -> EmbeddedStack:
        return open_embedded(project.root, "local")

    return Rotation(project.root, "local", opened, Patience(seconds))


def rotate(project: Project, *, finish: bool = False) -> None:
    going = rotation(project)
    for step in going.steps(finish=finish):
        going.perform(step)


def outputs(project: Project) -> dict[str, Any]:
    return project.stack().outputs(show_secrets=True)


def opens(project: Project, key: str) -> int:
    url = f"{outputs(project)['service_url']}/service/list-workflows"
    return httpx.post(url, json={}, headers={"X-API-Key": key}).status_code
