"""Carries out a key rotation: writes the configuration, runs `up`, asks whether all is well.

Nothing is remembered but the configuration and the stack's state, so a run that was killed at any
point is taken up where it was by running the command again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any, Protocol

from flowflare.config.edit import set_keys
from flowflare.config.files import Project, read_project
from flowflare.config.load import load_stack
from flowflare.errors import FlowflareError, RolloutError
from flowflare.rollout import health
from flowflare.rollout.rotation import Keys, Step, generation_of, steps
from flowflare.state.checkpoint import Deployment
from flowflare.values.events import OnEvent, Plan, Update
from flowflare.values.properties import reveal

_API_KEY = "dynamic/flowflare:ApiKey"


class Runner(Protocol):
    """A stack on either engine, as far as a rotation needs it."""

    def preview(self, on_event: OnEvent | None = None) -> Plan:
        """Says what `up` would do."""

    def up(self, on_event: OnEvent | None = None) -> Update:
        """Brings the stack to what the program says."""

    def read(self) -> Deployment:
        """The state; its secrets are opened when they are looked at."""

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs."""


@dataclass(frozen=True)
class Rotation:
    """One rotation of one stack.

    Attributes:
        root: the project's folder.
        stack: the stack's name.
        opened: opens the stack as its files are now.
        patience: how long a health check waits.
        judge: stops a step by raising, before anything is sent: what policies are asked by. It gets
            the project with the step's keys, and what makes the plan.
    """

    root: Path
    stack: str
    opened: Callable[[Project], Runner]
    patience: health.Patience = field(default_factory=health.Patience)
    judge: Callable[[Project, Callable[[], Plan]], None] | None = None

    def project(self) -> Project:
        """The project as its files are now."""
        return read_project(self.root, self.stack)

    def keys(self) -> Keys:
        """The generations that the configuration has.

        Raises:
            ConfigError: the configuration is wrong.
        """
        return configured_keys(self.project())

    def steps(self, *, finish: bool) -> tuple[Step, ...]:
        """What is to be done now; see `rotation.steps`.

        Raises:
            RolloutError: there is nothing that could be done.
        """
        deployed = api_keys(self.opened(self.project()).read())
        return steps(self.keys(), deployed, finish=finish)

    def require_nothing_else(self) -> None:
        """Refuses to begin while something else waits to be deployed, or is broken.

        Raises:
            RolloutError: `up` would change something.
        """
        plan = self.opened(self.project()).preview()
        if plan.changed or plan.failures:
            raise RolloutError(
                f"stack {self.stack} has changes that are not deployed; a rotation would carry "
                "them along",
                remedy=f"See them: flowflare preview -s {quote(self.stack)}. Deploy them first: "
                f"flowflare up -s {quote(self.stack)}",
            )

    def perform(self, step: Step, on_event: OnEvent | None = None) -> tuple[str, ...]:
        """Performs a step: configuration, `up`, health check.

        Args:
            step: the step.
            on_event: is told what happens during `up`.

        Returns:
            What the health check found right, as sentences.

        Raises:
            FlowflareError: `up` failed; what it made is in state. Or a policy stands against it;
                the configuration is then as it was.
            RolloutError: the health check failed.
        """
        before = api_keys(self.opened(self.project()).read())
        runner = self._configured(step)
        try:
            runner.up(on_event)
            outputs = runner.outputs()
            keys = {one: key() for one, key in api_keys(runner.read()).items()}
            gone = {one: key() for one, key in before.items() if one not in step.keys.accepted}
            return health.check(
                health.Stack(
                    service_url=outputs.get("service_url"),
                    client_urls=outputs.get("client_urls") or {},
                    keys=keys,
                    refused=gone,
                ),
                self.patience,
            )
        except FlowflareError as error:
            raise _with_way_back(error, step, self.project()) from error

    def _configured(self, step: Step) -> Runner:
        """The stack with a step's keys in its configuration, if nothing stands against them."""
        project, keys = self.project(), self.keys()
        set_keys(project.stack_file, step.keys.configuration)
        project = self.project()
        runner = self.opened(project)
        if self.judge is not None:
            try:
                self.judge(project, runner.preview)
            except FlowflareError:
                set_keys(project.stack_file, keys.configuration)
                raise
        return runner


def configured_keys(project: Project) -> Keys:
    """The generations that a project's configuration has.

    Raises:
        ConfigError: the configuration is wrong.
    """
    texts = {key: value.text for key, value in project.values.items()}
    spec = load_stack(
        texts, project=project.name, stack=project.stack, origins=project.places, root=project.root
    )
    return Keys(spec.service.api_keys, spec.service.api_key_in_use)


def api_keys(deployment: Deployment) -> Mapping[int, Callable[[], str]]:
    """The API keys in a state by generation, newest first, each opened when it is called."""

    def opener(value: object) -> Callable[[], str]:
        return lambda: str(reveal(value))

    found = {
        generation_of(one.name): opener(one.outputs.get("api_key"))
        for one in deployment.resources
        if one.type.endswith(_API_KEY) and not one.delete
    }
    return dict(sorted(found.items(), reverse=True))


def _with_way_back(error: FlowflareError, step: Step, project: Project) -> RolloutError:
    back = step.back
    return RolloutError(
        f"step {step.number} of 3, {step.title}: {error}",
        remedy="Put the cause right and run the same command again, or go back: write "
        f"{back} in {project.stack_file.name}, then: flowflare up -s {quote(project.stack)}",
    )
