"""Rotate a project's API key in this process."""

from typing import Any

import httpx

from flowflare.config.files import read_project
from flowflare.engine.embedded.stack import EmbeddedStack
from flowflare.rollout.health import Patience
from flowflare.rollout.rotate import Rotation
from tests.e2e.conftest import Project
from tests.support.embedded import open_embedded


def make_rotation(project: Project, seconds: float = 20) -> Rotation:
    def open_stack(_: object) -> EmbeddedStack:
        return open_embedded(project.root, "local")

    return Rotation(read_project(project.root, "local"), open_stack, Patience(seconds))


def rotate(project: Project, *, finish: bool = False) -> None:
    rotation = make_rotation(project)
    for step in rotation.steps(finish=finish):
        rotation.perform(step)


def read_outputs(project: Project) -> dict[str, Any]:
    return project.open_stack().outputs(show_secrets=True)


def call_service(project: Project, key: str) -> int:
    """Call the service with an API key and return the HTTP status."""
    url = f"{read_outputs(project)['service_url']}/service/list-workflows"
    return httpx.post(url, json={}, headers={"X-API-Key": key}).status_code
